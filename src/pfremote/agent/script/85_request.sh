# shellcheck shell=sh
# The request: reading the arguments, and refusing what would break Postfix, match nothing, or be understood as something
# else. This is the privilege boundary: nothing that came in is used before it has been looked at here.

args_reset() {
	A_lease='' A_instance='' A_seconds='' A_level='' A_smtpd_tls='' A_smtp_tls='' A_lmtp_tls=''
	A_owner='' A_from='' A_reason='' A_stop_after='' A_max_log='' A_min_free='' A_drain=''
	A_guard=auto A_volatile=no A_allow_content=no A_all_peers=no A_check=no A_why=request A_for='' A_peers=''
	A_guard_lost=no A_lines='' A_log='' A_position='' A_begin='' A_most=''
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
		seconds=* | level=* | smtpd_tls=* | smtp_tls=* | lmtp_tls=* | stop_after=* | max_log=* | min_free=* | drain=* | for=* | lines=* | begin=* | most=*)
			is_whole "$args_value" || refuse bad-argument "${args_word%%=*} must be a whole number"
			eval "A_${args_word%%=*}=\$args_value"
			;;
		position=*) A_position=$args_value ;;
		owner=* | from=* | reason=*)
			[ "${#args_value}" -le 1000 ] || refuse bad-argument "${args_word%%=*} is longer than 1000 bytes"
			percent_encode "$args_value"
			eval "A_${args_word%%=*}=\$ENCODED"
			;;
		log=journal | log=none) A_log=$args_value ;;
		log=file:/var/log/*)
			args_log "$args_value"
			;;
		log=*) refuse bad-argument "log must be journal, file:/var/log/… or none" "Mend pfremote_log in the inventory." ;;
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
	finish_refused
}

# args_log file:PATH: through a lease its lines can be read, so no file but a log. Which one an account may name is looked
# at when the policy is known (log_check).
args_log() {
	case $1 in
	*/../* | */..) refuse bad-argument "log=$1 is no plain path" ;;
	esac
	A_log=$1
}

# log_check: a log that was named. Through an installed agent only one that the agent would look at by itself (source_list),
# or that the policy names. Returns 1 where it is refused: it must not be looked at then.
log_check() {
	case $A_log in
	file:*) ;;
	*) return 0 ;;
	esac
	if is_boundary; then
		case " $P_logs " in
		*" ${A_log#file:} "*) ;;
		*) log_check_known || return 1 ;;
		esac
	fi
	if [ ! -f "${A_log#file:}" ]; then
		refuse no-log "there is no log ${A_log#file:} on this host" "Mend pfremote_log in the inventory."
		return 1
	fi
}

log_check_known() {
	log_check_asked=$A_log
	A_log=
	source_list
	A_log=$log_check_asked
	case "$NL$SOURCES$NL" in
	*"$NL$A_log$NL"*) ;;
	*)
		refuse unsafe-log "this account may not name a log that is not found without it" "Let root allow it in $POLICY with: allow_log = ${A_log#file:}"
		return 1
		;;
	esac
}

# log_check_link: the log that was found, by its real path: a link leads where its owner wants.
log_check_link() {
	case $LOG in
	file:*) ;;
	*) return 0 ;;
	esac
	is_boundary || return 0
	log_check_real=$(readlink -f -- "${LOG#file:}")
	case " $LOG $P_logs " in
	*" file:$log_check_real "* | *" $log_check_real "*) ;;
	*) refuse unsafe-log "the log stands behind a link" "Set maillog_file in main.cf to its real path, or let root allow that in $POLICY with: allow_log = PATH" ;;
	esac
}

duration_check() {
	if [ "${A_seconds:-0}" -lt 1 ] || [ "${A_seconds:-0}" -gt 86400 ]; then
		refuse bad-duration "the window must be between one second and one day"
	fi
}

levels_check() {
	A_level=${A_level:-2}
	[ "$A_level" -ge 1 ] || refuse bad-level "debug_peer_level 0 stops every Postfix program" "Use 1 or 2; debugging ends by itself."
	[ "$A_level" -le 3 ] || refuse bad-level "debug_peer_level above 3 logs nothing more than 3" "Use 1 or 2."
	levels_content=
	levels_content_find
	for levels_check_name in smtpd_tls smtp_tls lmtp_tls; do
		eval "levels_check_value=\${A_$levels_check_name:-0}"
		[ "$levels_check_value" -le 4 ] || refuse bad-level "${levels_check_name}_loglevel has no level above 4" "Use 1 or 2."
		[ "$levels_check_value" -lt 3 ] || levels_content="${levels_check_name}_loglevel $levels_check_value"
	done
	if [ "$A_allow_content" = no ] && [ -n "$levels_content" ]; then
		refuse content "$levels_content writes message content or raw data to the host's log" "Use a lower --level, or add --allow-content."
	fi
}

# levels_content_find: what makes the level 3 or more, where content is logged: the level that was asked for, main.cf's own
# (where it debugs peers already: the higher one counts for all), or a service's in master.cf. Into levels_content.
levels_content_find() {
	levels_own=0
	levels_read_own
	if [ "$A_level" -ge 3 ]; then
		levels_content="debug_peer_level $A_level"
	elif [ "$levels_own" -ge 3 ]; then
		levels_content="main.cf's own debug_peer_level $levels_own, which would count for these peers too,"
	fi
	[ "$levels_own" -gt "$A_level" ] || levels_own=$A_level
	levels_found=$(levels_of_services "$levels_own")
	[ -z "$levels_found" ] || levels_content="service $levels_found in master.cf"
}

# levels_read_own: main.cf's own level into levels_own, where it has a list of its own; and its TLS levels that are logged
# for all peers. While leases are active, main.cf is partly ours, and the baseline is what counts.
levels_read_own() {
	if [ -f "$STATE/baseline/main.cf" ] && state_exists; then
		grep -qE 'debug_peer_|_tls_loglevel' "$STATE/baseline/main.cf" || return 0
		tmp_make && copy_make "$STATE/baseline/main.cf" "$TMP/levels" && conf_read "$TMP/levels" || return 0
		E_OF=
	else
		conf_known "$CONF" || return 0
	fi
	for levels_name in smtpd_tls_loglevel smtp_tls_loglevel lmtp_tls_loglevel; do
		eval "levels_value=\$E_$levels_name"
		if levels_tls_content "$levels_value"; then levels_content="main.cf's own $levels_name $levels_value"; fi
	done
	if [ -n "$E_debug_peer_list" ] && is_number "$E_debug_peer_level"; then levels_own=$E_debug_peer_level; fi
}

# For awk: would a *_tls_loglevel of this value log what is sent? It is a number or words (tls_misc.c): all words but these may.
# Unknown ones count as if they did.
AWK_TLS='
	function logs_content(value,   word, n, i) {
		n = split(tolower(value), word, /[ \t,]+/)
		for (i = 1; i <= n; i++)
			if (word[i] !~ /^(none|routine|debug|summary|untrusted|peercert|certmatch|verbose|cache|dane|ssl-debug|trace|0*[012])?$/) return 1
		return 0
	}'

levels_tls_content() {
	case $1 in
	'' | [012]) return 1 ;;
	esac
	printf '%s\n' "$1" | awk "$AWK_TLS"'{ exit !logs_content($0) }'
}

# levels_of_services LEVEL: the first service where content would be logged: -v flags count on top of the level, which is
# LEVEL or the service's own (debug_peer.c adds to msg_verbose); or it has a TLS level of its own.
levels_of_services() {
	master_cf_has '(^|[[:blank:]])-[A-Za-z]*v|debug_peer_level|_tls_loglevel' || return 0
	{
		verbose_services debugged
		run postconf -c "$CONF" -x -P '*/*/debug_peer_level' '*/*/smtpd_tls_loglevel' '*/*/smtp_tls_loglevel' '*/*/lmtp_tls_loglevel' 2>/dev/null
	} | awk -v level="$1" "$AWK_TLS"'
		NF == 2 { flags[$1] = $2; services[$1] = 1; next }
		{
			name = $1
			sub(/.*\//, "", name)
			service = substr($1, 1, length($1) - length(name) - 1)
			if (name != "debug_peer_level" && logs_content(substr($0, index($0, "=") + 1))) tls[service] = name " " $3
			if (name == "debug_peer_level") own[service] = $3
			services[service] = 1
		}
		END {
			for (service in services) {
				sum = (service in own ? own[service] : level) + flags[service]
				if (service in tls) print service " with " tls[service]
				else if (sum >= 3) print service ", with level " sum " there (-v flags add to it),"
				else continue
				exit
			}
		}'
}

# verbose_services [debugged]: `SERVICE/TYPE N` for each master.cf service with -v flags; with an argument only those
# that debug_peer_list can make louder.
verbose_services() {
	master_cf_has '(^|[[:blank:]])-[A-Za-z]*v' || return 0
	run postconf -c "$CONF" -F '*/*/command' 2>/dev/null | awk -v only="${1-}" -v programs="^($MAIL_PROGRAMS)\$" '
		{
			n = 0
			if (only != "" && $3 !~ programs) next
			for (i = 4; i <= NF; i++) if ($i ~ /^-[A-Za-z]/) flags($i)
			sub(/\/command$/, "", $1)
			if (n) print $1, n
		}
		# as getopt(3) reads them: several flags in one word, and those with an argument (master(8) gives all daemons
		# the same: single_server.c)
		function flags(text,   at) {
			for (at = 2; at <= length(text); at++) {
				if (substr(text, at, 1) == "v") n++
				if (!index("imnost", substr(text, at, 1))) continue
				if (at == length(text)) i++
				return
			}
		}'
}

guard_choose() {
	guard_levels
	A_guard_auto=no
	if [ "$A_guard" = auto ]; then A_guard_auto=yes A_guard=${GUARDS%% *}; fi
	case " $GUARDS " in
	*" $A_guard "*) ;;
	*) refuse no-guard "the guard $A_guard is not to be had on this host (it has: $GUARDS)" "Leave --guard out." ;;
	esac
	if [ "$A_guard" = process ] && [ "$A_volatile" = no ]; then
		refuse volatile-guard "this host has no systemd, cron or at: only a process would end the debugging, and a reboot would lose it" \
			"Add --allow-volatile-guard to accept that."
	fi
}
