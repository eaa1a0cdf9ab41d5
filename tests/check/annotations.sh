#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/routing.md names every annotation of user/route/annotations.c, says of each
# what the code does with it, and names no other.
# usage: annotations.sh [SOURCE [PAGE]]
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
source=${1:-$top/user/route/annotations.c} page=${2:-$top/docs/routing.md}

# "ingress NAME VERDICT" and "service NAME VERDICT", from the tables of the code.
in_code()
{
	sed -nE '/^static const struct annotation on_/,/^};/{
		s/^.* on_([a-z]+)\[\].*/= \1/p
		s/^\t\{"([^"]+)", ([A-Z]+),.*/\1 \2/p
	}' "$source" | awk '$1 == "=" { kind = $2; next }
		{ print kind, $1, tolower($2) }' | sort
}

# The same from the rows below "### On an Ingress" and "### On a Service".
in_page()
{
	sed -nE '/^### On an? /,${
		s/^### On an? ([A-Z][a-z]+)$/= \1/p
		s/^\| `([^`]+)` \| ([a-z]+) \|.*/\1 \2/p
	}' "$page" | sed -E 's/NAME ([a-z]+)$/ \1/' |
		awk '$1 == "=" { kind = tolower($2); next }
		{ print kind, $1, $2 }' | sort
}

rows=$(in_code | wc -l)
if [ "$rows" = 0 ]; then
	echo "FAIL annotations: no table found in $source"
	exit 1
fi
wrong=$(diff <(in_code) <(in_page) |
	sed -nE 's/^< (.*)/FAIL annotations: the page does not have: \1/p
		 s/^> (.*)/FAIL annotations: the code does not have: \1/p')
if [ -n "$wrong" ]; then
	echo "$wrong"
	exit 1
fi
echo "PASS annotations: $rows in the code and on the page"
