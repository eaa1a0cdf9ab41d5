#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rule sets of Kubernetes and Kong, asked of `weir explain`, and random ones against
# a plain model.
here=$(cd "$(dirname "$0")" && pwd)
weir=${WEIR:-$here/../../build/weir}
bad=0

/usr/bin/python3 "$here/run_cases.py" --weir "$weir" -v | sed 's/^ok  */PASS /'
[ "${PIPESTATUS[0]}" = 0 ] || bad=1
if /usr/bin/python3 "$here/run_random.py" --weir "$weir" --rounds 30; then
	echo "PASS 6000 random requests as the model has them"
else
	echo "FAIL random requests differ from the model"
	bad=1
fi
exit $bad
