#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/kernel/run.sh VERSION DIR
#
# Boots Debian's kernel of that series (6.1, 6.12) in a virtual machine without
# network and runs DIR/run.sh in it (dash, as root, in /job, a copy of DIR).
# Output and exit status are those of the script. DIR/need names programs,
# one a line, by path or as found in PATH: they are put in the guest's PATH
# together with their shared libraries.
#
# Exit 77: no kernel or no qemu here. WEIR_VM_TIMEOUT: seconds, default 480.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=${1:?usage: run.sh VERSION DIR}
dir=${2:?usage: run.sh VERSION DIR}

if ! command -v qemu-system-x86_64 >/dev/null; then
	echo "run.sh: qemu-system-x86_64 is not installed" >&2
	exit 77
fi
kernel=$("$here/kernel.sh" "$version")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/root/bin" "$work/root/job/bin" "$work/root/lib/x86_64-linux-gnu" "$work/root/lib64"
cp -rL "$dir/." "$work/root/job/"

# The loader and the libraries of a program, at the places it looks for them.
add_libraries()
{
	local lib

	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$work/root$(dirname "$lib")"
		cp -nL "$lib" "$work/root$lib" 2>/dev/null || true
	done
}

cp -L /bin/dash "$work/root/bin/dash"
add_libraries /bin/dash
if [ -f "$dir/need" ]; then
	while read -r name; do
		[ -n "$name" ] || continue
		path=$(command -v "$name") || {
			echo "run.sh: $name: no such program" >&2
			exit 1
		}
		cp -L "$path" "$work/root/job/bin/$(basename "$name")"
		add_libraries "$path"
	done <"$dir/need"
fi
(cd "$work/root" && find . | busybox cpio -o -H newc) 2>/dev/null >"$work/job.cpio"
cat "$kernel/base.cpio" "$work/job.cpio" >"$work/initrd"

status=
seen=
boot()
{
	local line vm first=$1

	shift
	timeout "${WEIR_VM_TIMEOUT:-480}" qemu-system-x86_64 "$@" \
		-smp 2 -m 1024 -nodefaults -no-user-config -display none \
		-serial stdio -no-reboot \
		-kernel "$kernel/vmlinuz" -initrd "$work/initrd" \
		-append "console=ttyS0 quiet panic=1 oops=panic tsc=reliable no_timer_check" \
		</dev/null >"$work/serial" 2>"$work/qemu.err" &
	vm=$!
	exec 8<"$work/serial"
	while IFS= read -r -t "$first" line <&8; do
		first=${WEIR_VM_TIMEOUT:-480}
		line=${line%$'\r'}
		seen=1
		case $line in
		GUEST-UP) ;;
		"GUEST-EXIT "*)
			status=${line#GUEST-EXIT }
			break
			;;
		*)	printf '%s\n' "$line" ;;
		esac
	done
	exec 8<&-
	kill "$vm" 2>/dev/null || true
	wait "$vm" || true
}

# Where KVM is offered and does not work (some nested hosts: the guest never says
# a word) plain emulation takes over, and that is remembered.
mkfifo "$work/serial"
no_kvm=$(dirname "$kernel")/no-kvm
if [ -r /dev/kvm ] && [ -w /dev/kvm ] && [ ! -e "$no_kvm" ]; then
	boot 10 -enable-kvm -cpu host,arch-capabilities=off
	[ -n "$seen" ] || : >"$no_kvm"
fi
if [ -z "$seen" ]; then
	boot 120 -cpu max
fi

if [ -z "$status" ]; then
	cat "$work/qemu.err" >&2
	echo "run.sh: the guest ($version) ended without a result" >&2
	exit 1
fi
exit "$status"
