#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/run.sh [SUITE | SUITE/NAME]...
#
# Runs tests, several at a time, and ends with "N passed, N failed, N skipped". What a
# test has to say is printed whole, in the order in which the tests were named.
# A test is a cmocka binary in $BUILD/SUITE, or a script in tests/SUITE
# (*_test.sh, *_test.py, and in e2e and check every *.sh and *.py). It tells its
# results a line each: PASS, FAIL or SKIP and what it was about; cmocka speaks TAP.
# Exit 77 means that the whole test could not run here; its last line says why.
# All output is kept in $BUILD/log.
#
#	J=N	so many at a time; default twice the processors, as most tests
#		wait most of the time. Guests (tests/kernel) have a lane of their own.
#	V=1	one at a time, with all output
#	WEIR_TEST_TIMEOUT=SECONDS	for each, 300; guests have twice that
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

# run_one SUITE FILE COUNTS: prints what people read; passed, failed and skipped go
# into the file COUNTS.
run_one()
{
	local suite=$1 file=$2 name log pid r=0 p f s word limit start=$SECONDS

	limit=${WEIR_TEST_TIMEOUT:-300}
	[ "$suite" != kernel ] || limit=$((limit * 2))
	name=$suite/$(basename "$file")
	name=${name%.sh} name=${name%.py} name=${name%_test}
	log=$BUILD/log/${name//\//-}.log
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" "$file" >"$log" 2>&1 &
	pid=$!
	# shellcheck disable=SC2064
	trap "kill $pid" TERM
	[ -z "${V:-}" ] || tail -n +1 -f -s 0.1 --pid=$pid "$log"
	wait $pid || r=$?
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
	echo "$p $f $s" >"$3"
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

suites=() files=() # of each test; without a file, no test but a line to be printed
for what in "$@"; do
	before=${#files[@]}
	while read -r file; do
		suites+=("${what%%/*}")
		files+=("$file")
	done < <(files_of "$what")
	if [ ${#files[@]} = "$before" ]; then
		case $what in
		*/*)	suites+=("FAIL $what: no such test"); failed=$((failed + 1)) ;;
		*)	suites+=("NOTE $what: no tests") ;;
		esac
		files+=('')
	fi
done

work=$(mktemp -d)
declare -A test_of     # the test that a process runs
declare -A busy room   # lanes in use and in all: of guests, of others
state=()	       # of each test: nothing, running, over
printed=0	       # so many have been
room=([guests]=1 [others]=${J:-$(($(nproc) * 2))})
busy=([guests]=0 [others]=0)
[ -z "${V:-}" ] || room=([guests]=1 [others]=1)

lane_of()
{
	[ "${suites[$1]}" = kernel ] && lane=guests || lane=others
	[ -z "${V:-}" ] || lane=others
}

# Each lane that has room gets the next test for it.
begin()
{
	local i lane

	for i in "${!files[@]}"; do
		[ -z "${state[i]:-}" ] || continue
		if [ -z "${files[i]}" ]; then
			echo "${suites[i]}" >"$work/$i"
			echo 0 0 0 >"$work/$i.counts"
			state[i]=over
			continue
		fi
		lane_of "$i"
		[ "${busy[$lane]}" -lt "${room[$lane]}" ] || continue
		if [ -n "${V:-}" ]; then
			run_one "${suites[i]}" "${files[i]}" "$work/$i.counts" &
			: >"$work/$i"
		else
			run_one "${suites[i]}" "${files[i]}" "$work/$i.counts" \
				>"$work/$i" &
		fi
		test_of[$!]=$i
		busy[$lane]=$((busy[$lane] + 1))
		state[i]=running
	done
}

# What is over and has no earlier test to wait for.
print()
{
	local p f s

	while [ "${state[printed]:-}" = over ]; do
		cat "$work/$printed"
		read -r p f s <"$work/$printed.counts"
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + s))
		printed=$((printed + 1))
	done
}

# Tests clean up behind themselves when they are told to end.
interrupted()
{
	trap '' INT TERM HUP
	kill -TERM "${!test_of[@]}" 2>/dev/null
	wait
	rm -rf "$work"
	exit 130
}
trap interrupted INT TERM HUP

begin
print
while [ ${#test_of[@]} != 0 ]; do
	wait -n -p pid
	i=${test_of[$pid]}
	unset "test_of[$pid]"
	state[i]=over
	lane_of "$i"
	busy[$lane]=$((busy[$lane] - 1))
	begin
	print
done
rm -rf "$work"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
