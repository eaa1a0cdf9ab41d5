#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the verifier walks for each program stays under the recorded ceiling
# (verifier.limits: kernel, object, program, instructions). Other kernels than
# those recorded are held to the largest ceiling of the program.
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${BUILD:-$top/build}

[ "$(id -u)" = 0 ] || { echo "SKIP loading programs needs root"; exit 77; }
"$top/tests/kernel/load.sh" "$build/weir.bpf.o" >"$build/log/verifier.txt"
r=$?
bad=0
while read -r word kernel what object program n _; do
	case $word in
	FAIL)	echo "FAIL $kernel refuses $object $program"; bad=1 ;;
	PASS)	ceiling=$(awk -v k="$kernel" -v o="$object" -v p="$program" '
			!/^#/ && $2 == o && $3 == p { if ($4 > max) max = $4
				if ($1 == k) own = $4 }
			END { print own ? own : max + 0 }' "$here/verifier.limits")
		if [ "$n" -le "$ceiling" ]; then
			echo "PASS $kernel $object $program: $n of $ceiling instructions"
		else
			echo "FAIL $kernel $object $program: $n instructions, ceiling $ceiling"
			bad=1
		fi ;;
	esac
done < <(grep -E '^(PASS|FAIL) [^ ]+ load ' "$build/log/verifier.txt" | tr -d ':')
[ "$bad" = 0 ] || exit 1
[ "$r" != 77 ] || exit 77
