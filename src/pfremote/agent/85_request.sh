# shellcheck shell=sh
# The request: reading the arguments, and refusing what would break Postfix, match nothing, or be understood as something
# else. This is the privilege boundary: nothing that came in is used before it has been looked at here.

args_reset() {
	A_lease='' A_instance='' A_seconds='' A_level='' A_smtpd_tls='' A_smtp_tls='' A_lmtp_tls=''
	A_owner='' A_from='' A_reason='' A_stop_after='' A_max_log='' A_min_free='' A_drain=''
	A_guard=auto A_volatile=no A_allow_content=no A_all_peers=no A_check=no A_why=request A_for='' A_peers=''
	A_guard_lost=no A_lines='' A_log='' A_position=''
}

args_read() {
	args_reset
	for args_word in "$@"; do
		args_value=${args_word#*=}
		case $args_value in
		*[[:cntrl:]]*) refuse bad-argument "an argument holds control characters" ;;
		esac
		case $args_word in
		lease=*) A_lease=$args_value ;;
		instance=*) A_instance=$args_value ;;
		seconds=* | level=* | smtpd_tls=* | smtp_tls=* | lmtp_tls=* | stop_after=* | max_log=* | min_free=* | drain=* | for=* | lines=*)
			is_whole "$args_value" || refuse bad-argument "${args_word%%=*} must be a whole number"
			eval "A_${args_word%%=*}=\$args_value"
			;;
		position=*) A_position=$args_value ;;
		owner=*) A_owner=$args_value ;;
		from=*) A_from=$args_value ;;
		reason=*) A_reason=$args_value ;;
		log=journal) A_log=journal ;;
		log=file:/var/log/*)
			# through a lease its lines can be read, so no file but a log
			case $args_value in
			*/../* | */..) refuse bad-argument "log=$args_value is no plain path" ;;
			esac
			[ -f "${args_value#file:}" ] || refuse no-log "there is no log ${args_value#file:} on this host" "mend pfremote_log in the inventory"
			A_log=$args_value
			;;
		log=*) refuse bad-argument "log must be journal or file:/var/log/…" "mend pfremote_log in the inventory" ;;
		guard=lost) A_guard_lost=yes ;;
		guard=auto | guard=systemd | guard=cron | guard=at | guard=process) A_guard=$args_value ;;
		volatile=yes) A_volatile=yes ;;
		allow_content=yes) A_allow_content=yes ;;
		all_peers=yes) A_all_peers=yes ;;
		check=yes) A_check=yes ;;
		why=deadline | why=request | why=interrupt | why=stop-after) A_why=$args_value ;;
		peer=*) A_peers=$A_peers$args_value$NL ;;
		*) refuse bad-argument "unknown argument ${args_word%%=*}" ;;
		esac
	done
	! refused || finish
}

# peers_check: what would break Postfix, match nothing by its form, or be understood as something else.
peers_check() {
	[ -n "$A_peers" ] || refuse no-peer "no peer was given" "name at least one peer"
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $A_peers && IFS=$BLANKS && set +f
	if [ "$#" -gt 64 ]; then
		refuse too-many-peers "more than 64 peers"
		return
	fi
	for peers_check_peer in "$@"; do
		peer_check "$peers_check_peer"
	done
}

# peer_check_form PEER: can it stand in debug_peer_list at all? Only plain characters: everything else Postfix would
# read as a separator, a variable, a comment or a quote. Braces only where Postfix itself has them: inline tables, and
# one pair: behind its end another pattern could stand.
peer_check_form() {
	[ "${#1}" -le 255 ] || return 1
	case $1 in
	-* | inline:'{'*[{}]*'}') return 1 ;;
	inline:'{'*'}') peer_check_bad='[!A-Za-z0-9._:/@%+~=,{} -]' ;;
	*) peer_check_bad='[!A-Za-z0-9._:/@%+~=-]' ;;
	esac
	peer_check_rest=$1
	case $1 in
	# brackets cannot stand inside a bracket expression: look at the rest without them
	*[][]*) peer_check_rest=$(printf '%s' "$1" | tr -d '][') ;;
	esac
	# shellcheck disable=SC2254 # a pattern on purpose
	case $peer_check_rest in
	'' | *$peer_check_bad*) return 1 ;;
	esac
}

peer_check() {
	peer_check_bare=$1
	while :; do
		case $peer_check_bare in
		!*) peer_check_bare=${peer_check_bare#!} ;;
		*) break ;;
		esac
	done
	if [ -z "$peer_check_bare" ]; then
		refuse bad-peer "a lone ! stops every smtpd (debug_peer_list: no pattern after '!')" "write !PATTERN"
		return
	fi
	if ! peer_check_form "$peer_check_bare"; then
		refuse bad-peer "peer $1 has characters that Postfix would read as something else, or is too long" \
			"use letters, digits and . - _ : / [ ] ! only"
		return
	fi
	case $peer_check_bare in
	*/0 | */0] | static:*)
		[ "$A_all_peers" = yes ] || refuse all-peers "peer $1 matches every client and server" "add --all-peers if that is what you want"
		;;
	[\[]*) ;;
	/*) peer_check_file "$peer_check_bare" ;;
	*:*) peer_check_table "$peer_check_bare" ;;
	esac
}

# A verbose process logs the patterns that it compares with: a file that not everybody may read must not become one.
peer_check_file() {
	if [ ! -f "$1" ]; then
		refuse missing-file "peer file $1 does not exist on this host" "create it, or name the peers"
	elif is_boundary && ! path_is_fixed "$1"; then
		refuse unsafe-file "peer file $1 could be changed by others than root, or stands behind a link" \
			"use a file of root's in a folder of root's, by its real path"
	elif is_boundary && ! path_is_public "$1"; then
		refuse private-file "peer file $1 is not readable for everybody: Postfix would quote it in the log" "chmod a+r it, or name the peers"
	elif grep -qE '^[[:space:]]*!+[[:space:]]*$' "$1"; then
		refuse bad-peer "peer file $1 has a lone !, which stops every smtpd" "remove that line"
	fi
}

# A table that cannot be opened makes the list useless without stopping mail: ask it one key. What the program says of
# a file is not passed on, it may quote it.
peer_check_table() {
	! is_boundary || table_is_safe "$1" || return 0
	! run postmap -c "$CONF" -q pfremote.invalid "$1" 2>&1 >/dev/null | grep -qiE 'fatal|error|unsupported|warning' ||
		refuse bad-table "peer table $1 cannot be used" \
			"write IPv6 addresses in brackets; for a table: postconf -m lists the types, postmap(1) makes the file"
}

# table_is_safe TABLE, or its refusal. Of a table that is named to us and not to root only those that are files: others talk
# to whatever their name says, as root. And only files that stay what they are: what opens them is root as well.
table_is_safe() {
	table_bare=${1#proxy:}
	table_name=${table_bare#*:}
	case $table_bare in
	static:* | inline:*) return 0 ;;
	hash:/* | btree:/* | lmdb:/* | cdb:/* | dbm:/* | sdbm:/* | texthash:/* | cidr:/* | regexp:/* | pcre:/*) ;;
	mysql:/* | pgsql:/* | ldap:/* | sqlite:/*) ;;
	*)
		refuse unsafe-table "a peer table like $1 may only be named by who is root" "use a table that is a file, or name the peers"
		return 1
		;;
	esac
	for table_file in "${table_name%/*}/" "$table_name" "$table_name.db" "$table_name.lmdb" "$table_name.cdb" "$table_name.pag" "$table_name.dir"; do
		[ -e "$table_file" ] || [ -L "$table_file" ] || continue
		if ! path_is_fixed "${table_file%/}"; then
			refuse unsafe-file "peer table $1 could be changed by others than root, or stands behind a link" \
				"use a table of root's in a folder of root's, by its real path"
			return 1
		fi
		case $table_bare in
		mysql:"$CONF"/* | pgsql:"$CONF"/* | ldap:"$CONF"/* | sqlite:"$CONF"/*) continue ;; # these have passwords in them
		esac
		if [ ! -d "$table_file" ] && ! path_is_public "$table_file"; then
			refuse private-file "peer table $1 is not readable for everybody: Postfix may quote it in the log" "chmod a+r it, or name the peers"
			return 1
		fi
	done
}

levels_check() {
	A_level=${A_level:-2}
	[ "$A_level" -ge 1 ] || refuse bad-level "debug_peer_level 0 stops every Postfix program" "use 1 or 2; debugging ends by itself"
	[ "$A_level" -le 3 ] || refuse bad-level "debug_peer_level above 3 logs nothing more than 3" "use 1 or 2"
	levels_check_content=
	[ "$A_level" -lt 3 ] || levels_check_content="debug_peer_level 3"
	for levels_check_name in smtpd_tls smtp_tls lmtp_tls; do
		eval "levels_check_value=\${A_$levels_check_name:-0}"
		[ "$levels_check_value" -le 4 ] || refuse bad-level "${levels_check_name}_loglevel has no level above 4" "use 1 or 2"
		[ "$levels_check_value" -lt 3 ] || levels_check_content="${levels_check_name}_loglevel $levels_check_value"
	done
	if [ "$A_allow_content" = no ]; then
		[ -z "$levels_check_content" ] || refuse content "$levels_check_content writes message content or raw data to the host's log" \
			"use 2, or add --allow-content"
		# shellcheck disable=SC2046 # two words each
		set -- $(verbose_services debugged)
		while [ "$#" -gt 1 ]; do
			[ $((A_level + $2)) -lt 3 ] ||
				refuse content "service $1 has -v in master.cf: with level $A_level it would log message content" \
					"use a lower --level, remove -v there, or add --allow-content"
			shift 2
		done
	fi
}

# verbose_services [debugged]: `SERVICE/TYPE N` for each master.cf service with -v flags; with an argument only those
# that debug_peer_list can make louder.
verbose_services() {
	master_cf_has '(^|[[:blank:]])-v' || return 0
	run postconf -c "$CONF" -F '*/*/command' 2>/dev/null | awk -v only="${1-}" '
		{
			n = 0
			if (only != "" && $3 !~ /^(smtpd|smtp|lmtp|qmqpd)$/) next
			for (i = 3; i <= NF; i++) if ($i ~ /^-v+$/) n += length($i) - 1
			sub(/\/command$/, "", $1)
			if (n) print $1, n
		}'
}

guard_choose() {
	guard_levels
	[ "$A_guard" != auto ] || A_guard=${GUARDS%% *}
	case " $GUARDS " in
	*" $A_guard "*) ;;
	*) refuse no-guard "the guard $A_guard is not to be had on this host (it has: $GUARDS)" "leave --guard out" ;;
	esac
	if [ "$A_guard" = process ] && [ "$A_volatile" = no ]; then
		refuse volatile-guard "this host has no systemd, cron or at: only a process would end the debugging, and a reboot would lose it" \
			"add --allow-volatile-guard to accept that"
	fi
}
