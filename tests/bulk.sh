# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# For end-to-end tests of large bodies. Sourced instead of lib.sh.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# bulk_up MEGABYTES: pod 2 has a file of so many, which pod 4's origin.py may be sent.
# $sum is its MD5. The rules are in $work/rules.yaml.
bulk_up()
{
	net_up 2 4
	echo_pod 2
	origin_pod 4
	{
		service echo 80 1027 "$(pod_ip 2)"
		service origin 80 8000 "$(pod_ip 4)"
		ingress files '' /size Prefix echo 80
		ingress origin '' /origin Prefix origin 80 true
	} >"$work/rules.yaml"
	mkdir -p "$work/files/size"
	head -c "$1M" /dev/urandom >"$work/files/size/big"
	sum_up
}

sum_up()
{
	sum=$(md5sum <"$work/files/size/big" | cut -d' ' -f1)
}

# both_ways HOW
both_ways()
{
	is "download, $1" "$sum" "$(client curl -s -m 120 "http://$LISTEN/size/big" |
		md5sum | cut -d' ' -f1)"
	is "upload, $1" "$sum" "$(client curl -s -m 120 -T "$work/files/size/big" \
		"http://$LISTEN/origin/put" | field md5)"
}
