#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/run.sh [SUITE | SUITE/NAME]...
#
# Runs tests one after another and ends with "N passed, N failed, N skipped".
# A test is a cmocka binary in $BUILD/SUITE, or a script in tests/SUITE
# (*_test.sh, *_test.py, and in e2e and check every *.sh and *.py). It tells its
# results a line each: PASS, FAIL or SKIP and what it was about; cmocka speaks TAP.
# Exit 77 means that the whole test could not run here; its last line says why.
# V=1 shows all output; it is kept in $BUILD/log in any case.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
export BUILD=${BUILD:-$top/build}
export WEIR=${WEIR:-$BUILD/weir}
passed=0
failed=0
skipped=0

mkdir -p "$BUILD/log"

# The files of SUITE or SUITE/NAME, in name order.
files_of()
{
	local suite=${1%%/*} name='*'

	case $1 in
	*/*)	name=${1#*/} ;;
	esac
	name=${name%.sh} name=${name%.py} name=${name%_test}
	case $suite in
	unit | twin | prog)
		# Sources decide: a stale binary in $BUILD is no test.
		for f in "$top/tests/$suite/"$name\_test.c; do
			[ -e "$f" ] && echo "$BUILD/$suite/$(basename "$f" .c)"
		done
		;;
	e2e | check)
		ls "$top/tests/$suite/"$name.sh "$top/tests/$suite/"$name.py 2>/dev/null
		;;
	*)
		ls "$top/tests/$suite/"$name\_test.sh \
		   "$top/tests/$suite/"$name\_test.py 2>/dev/null
		;;
	esac
}

run_one()
{
	local suite=$1 file=$2 name log r=0 p f s word limit start=$SECONDS

	limit=${WEIR_TEST_TIMEOUT:-400}
	[ "$suite" != kernel ] || limit=$((limit * 2))
	name=$suite/$(basename "$file")
	name=${name%.sh} name=${name%.py} name=${name%_test}
	log=$BUILD/log/${name//\//-}.log
	if [ -n "${V:-}" ]; then
		CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" "$file" 2>&1 | tee "$log"
		r=${PIPESTATUS[0]}
	else
		CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" "$file" >"$log" 2>&1 ||
			r=$?
	fi
	s=$(grep -cE '^(SKIP |ok .*# SKIP)' "$log")
	p=$(grep -E '^(PASS |ok )' "$log" | grep -cv '# SKIP')
	f=$(grep -cE '^(FAIL |not ok )' "$log")
	if [ "$r" = 77 ]; then
		[ "$s" -gt 0 ] || s=1
	elif [ "$r" = 124 ] || [ "$r" = 137 ]; then
		echo "FAIL ended after $limit seconds" >>"$log"
		f=$((f + 1))
	elif [ "$r" != 0 ] && [ "$f" = 0 ]; then
		echo "FAIL exit status $r" >>"$log"
		f=1
	elif [ $((p + f + s)) = 0 ]; then
		echo "FAIL reported nothing" >>"$log"
		f=1
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
	word=PASS
	[ "$p" != 0 ] || word=SKIP
	[ "$f" = 0 ] || word=FAIL
	printf '%s %-28s %3d s %4d passed' "$word" "$name" $((SECONDS - start)) "$p"
	[ "$f" = 0 ] || printf ', %d failed' "$f"
	[ "$s" = 0 ] || printf ', %d skipped' "$s"
	printf '\n'
	if [ "$f" != 0 ]; then
		echo "     --- end of $log"
		{ grep -E -A4 '^(FAIL|not ok) ' "$log" | head -40; echo ...; tail -n 15 "$log"; } |
			sed 's/^/     /'
	elif [ "$s" != 0 ]; then
		{ grep -E '^(SKIP |ok .*# SKIP)' "$log" || tail -n 1 "$log"; } |
			sed 's/^/     /'
	fi
}

for what in "$@"; do
	found=
	while read -r file; do
		[ -n "$file" ] || continue
		found=1
		run_one "${what%%/*}" "$file"
	done < <(files_of "$what")
	if [ -z "$found" ]; then
		case $what in
		*/*)	echo "FAIL $what: no such test"; failed=$((failed + 1)) ;;
		*)	echo "NOTE $what: no tests" ;;
		esac
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
