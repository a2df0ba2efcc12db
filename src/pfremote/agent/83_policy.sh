# shellcheck shell=sh
# The host's own policy, /etc/pfremote.conf: what no client may ask for, whatever it says. `name = value` a line:
#
#   max_minutes = 30          longest window, extensions included
#   content = no              debug_peer_level 3 and TLS levels 3 and 4 are refused, --allow-content or not
#   forbid_peer = 192.0.2.7   never debugged: refused, and kept out of every wider pattern; may be repeated
#   volatile_guard = no       no lease where only a process would end it
#   require_reason = yes      no lease without --reason
#   keep_days = 7             evidence that nobody fetched is deleted after so many days
#   keep_megabytes = 512      and before that, oldest first, when all of it is larger
#
# A policy that cannot be read as written refuses everything: half a policy is none.

POLICY=/etc/pfremote.conf

policy_read() {
	P_max_minutes='' P_content=yes P_volatile_guard=yes P_require_reason=no P_keep_days=7 P_keep_megabytes=512 P_forbidden=''
	[ -e "$POLICY" ] || [ -L "$POLICY" ] || return 0
	if ! path_is_roots "$POLICY"; then
		policy_wrong "$POLICY is not root's alone" "chown root:root $POLICY; chmod 644 $POLICY"
		return 0
	fi
	while IFS= read -r policy_line || [ -n "$policy_line" ]; do
		# shellcheck disable=SC2086 # words, blanks squeezed
		set -f && set -- $policy_line && set +f
		case ${1-} in
		'' | '#'*) continue ;;
		esac
		policy_value=${3-}
		[ "${2-}" = = ] && [ -n "$policy_value" ] && [ "$#" -eq 3 ] && policy_set "$1" "$policy_value" ||
			policy_wrong "$POLICY has a line that is not understood: $policy_line" "one of: max_minutes = N, content = no, forbid_peer = PATTERN, volatile_guard = no, require_reason = yes, keep_days = N, keep_megabytes = N"
	done <"$POLICY"
}

# policy_wrong TEXT HINT: for those who ask for debugging it is a refusal; looking, and turning it off, must go on.
policy_wrong() {
	case $main_verb in
	arm | extend) refuse policy "$1" "$2" ;;
	watch | sweep) ;;
	*) warn policy "$1" "$2" ;;
	esac
}

policy_set() {
	case $1:$2 in
	max_minutes:* | keep_days:* | keep_megabytes:*) is_whole "$2" && eval "P_$1=\$2" ;;
	content:yes | content:no | volatile_guard:yes | volatile_guard:no | require_reason:yes | require_reason:no) eval "P_$1=\$2" ;;
	forbid_peer:*) peer_check_form "${2#!}" && P_forbidden="$P_forbidden ${2#!}" ;;
	*) return 1 ;;
	esac
}

# policy_check: of an arm. The levels of other leases were checked when they came.
policy_check() {
	[ -z "$P_max_minutes" ] || [ "${A_seconds:-0}" -le $((P_max_minutes * 60)) ] ||
		refuse policy "this host allows windows of at most $P_max_minutes minutes ($POLICY)" "--minutes $P_max_minutes"
	[ "$P_content" = yes ] || [ -z "$levels_check_content" ] ||
		refuse policy "this host never logs message content: $levels_check_content is not allowed ($POLICY)" "use level 2 or less"
	[ "$P_volatile_guard" = yes ] || [ "$A_guard" != process ] ||
		refuse policy "this host allows no volatile guard ($POLICY)"
	[ "$P_require_reason" = no ] || [ -n "$A_reason" ] ||
		refuse policy "this host wants a reason ($POLICY)" "--reason TEXT"
	set -f # an address in brackets is no pattern of file names
	for policy_peer in $P_forbidden; do
		case "$NL$A_peers" in
		*"$NL$policy_peer$NL"*) refuse policy "this host forbids debugging $policy_peer ($POLICY)" ;;
		esac
	done
	set +f
}

# path_is_roots PATH: nobody but root can change what is behind PATH: it and every folder above are root's, and writable
# by nobody else (a sticky folder such as /tmp protects what root has in it).
path_is_roots() {
	path_now=$(readlink -f -- "$1") || return 1
	set -- "$path_now"
	while [ "$path_now" != / ]; do
		path_now=${path_now%/*}
		path_now=${path_now:-/}
		set -- "$@" "$path_now"
	done
	# shellcheck disable=SC2012 # ls -n is the portable way to mode and owner
	ls -ldn -- "$@" 2>/dev/null | awk -v paths="$#" '
		$3 != 0 || $1 !~ /^.....-..-/ && $1 !~ /^d........[tT]/ { bad = 1 }
		END { exit bad || NR != paths }'
}

# path_is_fixed PATH: as it is written it leads past no link, and nobody but root can change that.
path_is_fixed() { [ "$(readlink -f -- "$1")" = "$1" ] && path_is_roots "$1"; }

# path_is_public PATH: everybody may read it, so that quoting it in a log tells nobody anything new.
path_is_public() {
	path_now=$(readlink -f -- "$1") || return 1
	[ -n "$(find "$path_now" -prune -perm -004 2>/dev/null)" ] || return 1
	while [ "$path_now" != / ]; do
		path_now=${path_now%/*}
		path_now=${path_now:-/}
		[ -n "$(find "$path_now" -prune -perm -001 2>/dev/null)" ] || return 1
	done
}
