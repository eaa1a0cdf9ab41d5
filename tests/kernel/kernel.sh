#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/kernel/kernel.sh VERSION		VERSION is 6.1 or 6.12
#
# Makes a bootable kernel with its modules from Debian's newest package of that
# series and prints the directory that holds them:
#
#	vmlinuz		the kernel
#	base.cpio	busybox, init, the modules and the order to insert them
#
# The package is downloaded and unpacked, never installed. Everything is kept
# under $WEIR_KERNELS (default $BUILD/kernels) and made only once; exit 77 when
# the package cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
store=${WEIR_KERNELS:-${BUILD:-$top/build}/kernels}
version=${1:?usage: kernel.sh VERSION}

# What the guest inserts, dependencies added by hand_over().
modules="veth sch_ingress cls_bpf dummy bridge"

case $version in
6.1)	pattern='^linux-image-6\.1\.0-[0-9]+-cloud-amd64$' ;;
6.12)	pattern='^linux-image-6\.12\.[0-9]+\+deb12-cloud-amd64$' ;;
*)	echo "kernel.sh: no such series: $version" >&2; exit 2 ;;
esac

mkdir -p "$store"
store=$(cd "$store" && pwd)
dir=$store/$version
exec 9>"$store/$version.lock"
flock 9
if [ -f "$dir/base.cpio" ] && [ "$dir/base.cpio" -nt "$0" ] &&
   [ "$dir/base.cpio" -nt "$here/init" ]; then
	echo "$dir"
	exit 0
fi

work=$store/$version.work
rm -rf "$work"
mkdir -p "$work/deb" "$work/root" "$work/base"

fetch()
{
	local deb package

	deb=$(ls "$store/$version"-*.deb 2>/dev/null | sort -V | tail -1)
	if [ -z "$deb" ]; then
		package=$(apt-cache search --names-only "$pattern" |
			  cut -d' ' -f1 | sort -V | tail -1)
		if [ -z "$package" ]; then
			echo "kernel.sh: apt knows no package $pattern" \
			     "(apt-get update?)" >&2
			exit 77
		fi
		if ! (cd "$work/deb" && apt-get download -qq \
			-o APT::Sandbox::User=root "$package" >&2); then
			echo "kernel.sh: $package cannot be downloaded" >&2
			exit 77
		fi
		deb=$store/$version-$package.deb
		mv "$work"/deb/*.deb "$deb"
	fi
	dpkg -x "$deb" "$work/root"
}

# A module's file, by its name with either dashes or underscores; empty for one
# that is built into the kernel.
module_file()
{
	local name=${1//-/_}

	find "$work/root/lib/modules" -name '*.ko*' -printf '%f %p\n' |
		awk -v want="$name" '{ n = $1; sub(/\.ko.*/, "", n); gsub(/-/, "_", n)
			if (n == want) { print $2; exit } }'
}

# Copy a module and what it depends on, in the order in which they go in.
hand_over()
{
	local file name=$1 dep out

	out=$work/base/modules/${name//-/_}.ko
	[ -e "$out" ] && return
	file=$(module_file "$name")
	[ -n "$file" ] || return 0
	case $file in
	*.xz)	xz -dc "$file" >"$out" ;;
	*)	cp "$file" "$out" ;;
	esac
	for dep in $(grep -za '^depends=' "$out" | tr '\0,' '\n ' | sed 's/^depends=//'); do
		hand_over "$dep"
	done
	echo "${name//-/_}" >>"$work/base/modules/order"
}

fetch
mkdir -p "$work"/base/{bin,dev,proc,sys,tmp,run,etc,modules,lib64,lib/x86_64-linux-gnu}
: >"$work/base/modules/order"
for m in $modules; do
	hand_over "$m"
done
cp "$(command -v busybox)" "$work/base/bin/busybox"
cp "$here/init" "$work/base/init"
(cd "$work/base" && find . | busybox cpio -o -H newc) >"$work/base.cpio" 2>/dev/null
mv "$work"/root/boot/vmlinuz-* "$work/vmlinuz"
rm -rf "$work/root" "$work/deb" "$work/base" "$dir"
mv "$work" "$dir"
echo "$dir"
