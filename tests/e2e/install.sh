#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# make install: the program, a page for each command and the shells' completions are
# where they belong and work from there.
. "$(dirname "$0")/../lib.sh"

root=$work/root/usr
ok "make install" make -C "$top" install BUILD="$BUILD" DESTDIR="$work/root" PREFIX=/usr
weir=$root/sbin/weir
is "weir --help" "usage: weir COMMAND [options]" "$("$weir" --help | head -n 1)"
is "weir --version" "$("$WEIR" --version)" "$("$weir" --version)"
is "a page for each command" "$("$weir" help |
	sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/weir-\1.8/p' | sort | xargs) weir.8" \
	"$(ls "$root/share/man/man8" | sort | xargs)"
has "which man shows" "weir run -i IFACE" \
	"$(mandoc -T ascii "$root/share/man/man8/weir-run.8" | sed 's/.\x08//g')"
has "bash completes" "weir" "$(bash -c '. "$1" && complete -p weir' - \
	"$root/share/bash-completion/completions/weir" 2>&1)"
has "zsh would" "#compdef weir" "$(head -n 1 "$root/share/zsh/site-functions/_weir")"
has "fish would" "complete -c weir" "$(cat "$root/share/fish/vendor_completions.d/weir.fish")"
