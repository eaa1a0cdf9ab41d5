# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# guests JOB: run a job directory (run.sh) on every kernel of $KERNELS, default 6.1
# and 6.12, all at once. Prints each one's lines, PASS, FAIL and SKIP with the
# kernel's name and, behind a line "TEST name", that name. Returns 1 when one failed.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

guests()
{
	local job=$1 k r worst=0

	for k in ${KERNELS:-6.1 6.12}; do
		{
			"$here/run.sh" "$k" "$job" >"$job.$k" 2>&1
			echo $? >"$job.$k.status"
		} &
	done
	wait
	for k in ${KERNELS:-6.1 6.12}; do
		r=$(cat "$job.$k.status")
		awk -v k="$k" '$1 == "TEST" { test = " " $2 ":"; next }
			/^(PASS|FAIL|SKIP) / {
				print $1 " " k test substr($0, 5)
				next
			}
			{ print }' "$job.$k"
		case $r in
		0)	;;
		77)	echo "SKIP $k: no such kernel or no virtual machine here" ;;
		*)	worst=1 ;;
		esac
		rm -f "$job.$k" "$job.$k.status"
	done
	return $worst
}
