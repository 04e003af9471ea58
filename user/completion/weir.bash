# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Bash completion for weir(8). The program knows its commands, options and (by asking the agent, for at most a second) the names of
# services, backends, reasons and interfaces; this only carries words to it. Where it has nothing to offer, file names are completed.

_weir() {
	local line=${COMP_LINE:0:COMP_POINT} current words=() prefix i

	# Bash cuts words at `:`, `=` and `>` too (COMP_WORDBREAKS): fd71:2::21 would be five of them. So cut at blanks only.
	read -ra words <<<"$line"
	case $line in
	*[[:blank:]]) words+=('') ;;
	esac
	current=${words[-1]}
	mapfile -t COMPREPLY < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)

	# What stands before the last of those cuts is on the line already: take it off what is offered.
	prefix=${current%"${current##*[:=]}"}
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$prefix"}
	done
}

complete -o bashdefault -o default -F _weir weir
