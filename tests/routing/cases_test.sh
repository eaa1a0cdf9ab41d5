#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rule sets of Kubernetes and Kong, asked of `weir explain`, and random ones against
# a plain model.
here=$(cd "$(dirname "$0")" && pwd)
weir=${WEIR:-$here/../../build/weir}
bad=0

/usr/bin/python3 "$here/run_cases.py" --weir "$weir" -v | sed 's/^ok  */PASS /'
[ "${PIPESTATUS[0]}" = 0 ] || bad=1
/usr/bin/python3 "$here/run_cases.py" --weir "$weir" --dialect kong -v |
	sed 's/^ok  */PASS --dialect kong /'
[ "${PIPESTATUS[0]}" = 0 ] || bad=1
# random WHAT OPTION...
random()
{
	local what=$1

	shift
	if /usr/bin/python3 "$here/run_random.py" --weir "$weir" --rounds 20 "$@"; then
		echo "PASS 4000 random requests as the model has them, $what"
	else
		echo "FAIL random requests differ from the model, $what"
		bad=1
	fi
}

random "hosts and paths"
random "conditions" --with criteria
random "conditions and patterns" --with criteria --with regex
random "all of it in Kong's order" --with criteria --with regex --with aliases --dialect kong
exit $bad
