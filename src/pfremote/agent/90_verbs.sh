# shellcheck shell=sh
# The verbs, and the reading of their arguments. This is the privilege boundary: nothing that came in is used
# before it has been looked at here.

args_reset() {
	A_lease='' A_instance='' A_seconds='' A_level='' A_smtpd_tls='' A_smtp_tls='' A_lmtp_tls=''
	A_owner='' A_from='' A_reason='' A_stop_after='' A_max_log='' A_min_free='' A_drain=''
	A_guard=auto A_volatile=no A_allow_content=no A_all_peers=no A_check=no A_why=request A_for='' A_peers=''
	A_guard_lost=no
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
		seconds=* | level=* | smtpd_tls=* | smtp_tls=* | lmtp_tls=* | stop_after=* | max_log=* | min_free=* | drain=* | for=*)
			is_number "$args_value" || refuse bad-argument "${args_word%%=*} must be a whole number"
			eval "A_${args_word%%=*}=\$args_value"
			;;
		owner=*) A_owner=$args_value ;;
		from=*) A_from=$args_value ;;
		reason=*) A_reason=$args_value ;;
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
	[ "$(printf '%s' "$A_peers" | wc -l)" -le 64 ] || refuse too-many-peers "more than 64 peers"
	while IFS= read -r peers_check_peer; do
		[ -n "$peers_check_peer" ] || continue
		peer_check "$peers_check_peer"
	done <<-PEERS
		$A_peers
	PEERS
}

peer_check() {
	peer_check_bare=$1
	while :; do
		case $peer_check_bare in
		!*) peer_check_bare=${peer_check_bare#!} ;;
		*) break ;;
		esac
	done
	case $peer_check_bare in
	'')
		refuse bad-peer "a lone ! stops every smtpd (debug_peer_list: no pattern after '!')" "write !PATTERN"
		return
		;;
	esac
	case $1 in
	inline:'{'*'}' | !inline:'{'*'}') peer_check_bad='[!A-Za-z0-9._:/@%+~=,{} -]' ;;
	*) peer_check_bad='[!A-Za-z0-9._:/@%+~=-]' ;;
	esac
	# brackets cannot stand inside a bracket expression: look at the rest without them
	peer_check_rest=$(printf '%s' "$peer_check_bare" | tr -d '][')
	# shellcheck disable=SC2254 # a pattern on purpose
	case $peer_check_rest in
	*$peer_check_bad*)
		refuse bad-peer "peer $1 has characters that Postfix would read as something else" \
			"use letters, digits and . - _ : / [ ] ! only"
		return
		;;
	esac
	[ "${#1}" -le 255 ] || refuse bad-peer "a peer is longer than 255 characters"
	case $peer_check_bare in
	0.0.0.0/0 | '[::]/0' | '[::/0]' | */0 | */0] | static:*)
		[ "$A_all_peers" = yes ] || refuse all-peers "peer $1 matches every client and server" "add --all-peers if that is what you want"
		;;
	[\[]*) ;;
	/*)
		[ -r "$peer_check_bare" ] || refuse missing-file "peer file $peer_check_bare does not exist on this host" "create it, or name the peers"
		! grep -qE '^[[:space:]]*!+[[:space:]]*$' "$peer_check_bare" 2>/dev/null ||
			refuse bad-peer "peer file $peer_check_bare has a lone !, which stops every smtpd" "remove that line"
		;;
	*:*) peer_check_table "$peer_check_bare" ;;
	esac
}

# A table that cannot be opened makes the list useless without stopping mail: ask it one key.
peer_check_table() {
	peer_check_said=$(run postmap -c "$CONF" -q pfremote.invalid "$1" 2>&1 >/dev/null | grep -iE 'fatal|error|unsupported' | head -n 1)
	[ -z "$peer_check_said" ] || refuse bad-table "peer table $1 cannot be used: $peer_check_said" \
		"write IPv6 addresses in brackets; for a table: postconf -m lists the types, postmap(1) makes the file"
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
		for levels_check_line in $(verbose_services | tr ' ' :); do
			[ $((A_level + ${levels_check_line##*:})) -lt 3 ] ||
				refuse content "service ${levels_check_line%:*} has -v in master.cf: with level $A_level it would log message content" \
					"use a lower --level, remove -v there, or add --allow-content"
		done
	fi
}

# verbose_services: `SERVICE/TYPE N` for each master.cf service with -v flags.
verbose_services() {
	run postconf -c "$CONF" -F '*/*/command' 2>/dev/null | awk '
		{
			n = 0
			for (i = 3; i <= NF; i++) if ($i ~ /^-v+$/) n += length($i) - 1
			sub(/\/command$/, "", $1)
			if (n) print $1, n
		}'
}

guard_choose() {
	guard_choose_have=$(guard_levels)
	[ "$A_guard" != auto ] || A_guard=${guard_choose_have%% *}
	case " $guard_choose_have " in
	*" $A_guard "*) ;;
	*) refuse no-guard "the guard $A_guard is not to be had on this host (it has: $guard_choose_have)" "leave --guard out" ;;
	esac
	if [ "$A_guard" = process ] && [ "$A_volatile" = no ]; then
		refuse volatile-guard "this host has no systemd, cron or at: only a process would end the debugging, and a reboot would lose it" \
			"add --allow-volatile-guard to accept that"
	fi
}

verb_probe() {
	instance_load || refuse no-postfix "postconf does not answer for $CONF" "postconf -c $CONF mail_version"
	! refused || finish
	log_source
	config_paths
	boot_now
	uptime_now
	say uid "$(id -u)"
	say host "$(uname -n)"
	say time "$(date +%s.%N | sed 's/\.%N$//')"
	say utc_offset "$(date +%z)"
	say uptime "$UPTIME"
	say boot "$BOOT"
	say version "$I_version"
	say config_directory "$CONF"
	say queue_directory "$I_queue"
	say myhostname "$I_myhostname"
	probe_main_cf
	if probe_master=$(master_pid); then
		say running yes
		say master_pid "$probe_master"
	else
		say running no
	fi
	say log "$LOG"
	say log_why "$LOG_WHY"
	say guards "$(guard_levels)"
	case " $(printf '%s' "$I_parents" | tr ',' ' ') " in
	*' debug_peer_list '*) say parent_domain yes ;;
	*) say parent_domain no ;;
	esac
	say tables "$(run postconf -c "$CONF" -m 2>/dev/null | tr '\n' ' ')"
	probe_parameters
	probe_peers
	log_free
	say log_free_percent "$FREE_PERCENT"
	say log_free_bytes "$FREE_BYTES"
	disk_free "$STATE_ROOT"
	say state_free_bytes "$FREE_BYTES"
	say_unexplained
	if state_exists; then for probe_id in $(leases_all); do say_lease "$probe_id"; done; fi
}

probe_main_cf() {
	# shellcheck disable=SC2012,SC2046 # see state_is_ours
	set -- $(ls -ldn -- "$MAIN")
	say main_cf "$MAIN"
	say main_cf_mode "$(stat -c %a -- "$MAIN" 2>/dev/null)"
	say main_cf_owner "$3:$4"
	say main_cf_links "$2"
	[ ! -L "$CONF/main.cf" ] || say main_cf_link "$(readlink -- "$CONF/main.cf")"
}

probe_parameters() {
	conf_read "$CONF" || return 0
	for probe_name in $PARAMETERS; do
		eval "probe_has=\$H_$probe_name probe_raw=\$R_$probe_name probe_now=\$E_$probe_name"
		if [ "$probe_has" = yes ]; then say param "$probe_name present $probe_raw"; else say param "$probe_name absent "; fi
		say effective "$probe_name $probe_now"
	done
	# shellcheck disable=SC2046,SC2086 # one pattern per parameter
	run postconf -c "$CONF" -x -P $(printf '*/*/%s ' $PARAMETERS) 2>/dev/null |
		while IFS= read -r probe_line; do say override "${probe_line%% = *} ${probe_line#* = }"; done
	verbose_services | while IFS= read -r probe_line; do say verbose_service "$probe_line"; done
}

# probe_peers: what only this host can know of the peers: addresses of names, files.
probe_peers() {
	while IFS= read -r probe_peer; do
		probe_bare=${probe_peer#!}
		case $probe_bare in
		'') ;;
		/*) [ -r "$probe_bare" ] || say missing_file "$probe_bare" ;;
		*:/*) [ -e "${probe_bare#*:}" ] || say missing_file "${probe_bare#*:}" ;;
		*[!A-Za-z0-9.-]* | *[0-9].[0-9]*.[0-9]*.[0-9]* | .*) ;;
		*.*[A-Za-z]*) probe_resolve "$probe_peer" ;;
		esac
	done <<-PROBE
		$A_peers
	PROBE
}

probe_resolve() {
	have getent || return 0
	probe_addresses=$(run getent ahosts "$1" 2>/dev/null | awk '!seen[$1]++ { printf "%s ", $1 }' | head -c 2000)
	say resolve "$1 $probe_addresses"
	for probe_address in $probe_addresses; do
		say reverse "$probe_address $(run getent hosts "$probe_address" 2>/dev/null | awk '{ print $2; exit }')"
	done
}

# say_unexplained: debugging that is on and that no lease explains: what main.cf had before ours, and -v flags.
say_unexplained() {
	unexplained_dir=$CONF
	if [ -d "$STATE/baseline" ] && state_exists; then
		tmp_make || return 0
		copy_make "$STATE/baseline/main.cf" "$TMP/unexplained" && unexplained_dir=$TMP/unexplained
	fi
	conf_read "$unexplained_dir" || return 0
	[ -z "$E_debug_peer_list" ] || say unexplained "debug_peer_list $E_debug_peer_list"
	for unexplained_name in smtpd_tls_loglevel smtp_tls_loglevel lmtp_tls_loglevel; do
		eval "unexplained_value=\$E_$unexplained_name"
		# level 1 is one line per handshake, which many sites want always
		is_number "$unexplained_value" && [ "$unexplained_value" -ge 2 ] && say unexplained "$unexplained_name $unexplained_value"
	done
	verbose_services | while read -r unexplained_service unexplained_flags; do
		say unexplained "master.cf $unexplained_service has $unexplained_flags -v"
	done
}

verb_arm() {
	is_lease_id "$A_lease" || refuse bad-lease "the lease id must be 12 hexadecimal digits"
	[ -n "$A_seconds" ] && [ "${A_seconds:-0}" -ge 1 ] && [ "${A_seconds:-0}" -le 86400 ] ||
		refuse bad-duration "the window must be between one second and one day"
	instance_load || refuse no-postfix "postconf does not answer for $CONF" "postconf -c $CONF mail_version"
	! refused || finish
	peers_check
	levels_check
	A_drain=${A_drain:-60}
	log_source
	config_paths
	master_pid >/dev/null || refuse postfix-stopped "Postfix is not running for $CONF, there is nothing to debug" "postfix -c $CONF start"
	[ "$LOG" != none ] || refuse no-log "no log to collect from: $LOG_WHY"
	guard_choose
	log_free
	[ "$FREE_PERCENT" -ge "${A_min_free:-0}" ] ||
		refuse disk-low "only $FREE_PERCENT % are free where the log grows, less than the $A_min_free % asked for" "make room, or lower --min-free"
	[ "$(id -u)" -eq 0 ] || refuse not-root "the agent does not run as root" "check --become and sudo"
	config_refuse
	! refused || finish
	if [ "$A_check" = yes ]; then arm_check; else arm_do; fi
}

arm_do() {
	state_make || { refuse state-unwritable "the state folder $STATE cannot be made, or is not root's alone" "ls -ld $STATE_ROOT $STATE; df $STATE_ROOT"; finish; }
	lock 30 || die busy "another pfremote has been at work on this instance for 30 seconds" "try again; ps ax | grep pfremote"
	if lease_exists "$A_lease"; then
		refuse lease-exists "lease $A_lease exists already on this host"
		finish
	fi
	tmp_make "$STATE" || { refuse state-unwritable "the state folder $STATE cannot be written (disk full?)" "df $STATE_ROOT"; finish; }
	sweep_locked
	for arm_other in $(leases_active); do
		lease_load "$arm_other"
		say other "$arm_other owner=$(percent_encode "$L_owner") left=$((L_deadline - $(now))) peers=$(paste -s -d, "$STATE/leases/$arm_other/peers")"
	done
	lease_begin
	unlock
	say_lease "$A_lease"
	say time "$(now)"
	say log "$LOG"
	say log_why "$LOG_WHY"
	say reload "$RELOAD"
	say_values "$CONF"
	lease_load "$A_lease"
	say predating "$(mail_processes | awk -v since="$L_swapped_ticks" '$3 < since { n++ } END { print n + 0 }')"
	payload main.cf.before raw "$STATE/leases/$A_lease/before"
	payload main.cf.during raw "$STATE/leases/$A_lease/during"
}

say_values() {
	conf_read "$1" || return 0
	for say_values_name in $PARAMETERS; do
		eval "say_values_now=\$E_$say_values_name"
		say value "$say_values_name $say_values_now"
	done
}

# arm_check: the same computation on a private copy of everything; nothing on the host changes.
arm_check() {
	tmp_make || die tmp "no temporary folder can be made"
	mkdir -p -- "$TMP/state/leases/$A_lease"
	arm_check_base=$MAIN
	if state_exists; then
		for arm_check_id in $(leases_active); do
			mkdir -- "$TMP/state/leases/$arm_check_id"
			cp -- "$STATE/leases/$arm_check_id/spec" "$STATE/leases/$arm_check_id/peers" "$STATE/leases/$arm_check_id/active" "$TMP/state/leases/$arm_check_id/"
		done
		[ ! -f "$STATE/baseline/main.cf" ] || arm_check_base=$STATE/baseline/main.cf
	fi
	STATE=$TMP/state
	LEASE_DIR=$STATE/leases/$A_lease
	lease_write && true >"$LEASE_DIR/active" || die tmp "the temporary folder cannot be written"
	copy_make "$arm_check_base" "$TMP/next" && conf_read "$TMP/next" && wanted_compute && wanted_write "$TMP/next" ||
		die main-cf "postconf cannot make this change on a copy of main.cf"
	say guard "$A_guard"
	say log "$LOG"
	say log_why "$LOG_WHY"
	say_values "$TMP/next"
	payload main.cf.before raw "$MAIN"
	payload main.cf.during raw "$TMP/next/main.cf"
}

# need_state: for verbs on leases. Heals what a crash left, whoever looks first.
need_state() {
	instance_load || :
	log_source
	config_paths
	state_exists || return 1
	tmp_make "$STATE" || tmp_make || die tmp "no temporary folder can be made (disk full?)"
	lock 60 || die busy "another pfremote has been at work on this instance for a minute" "try again"
	sweep_locked
	unlock
	settle_ended
	guard_stop_if_done
}

guard_stop_if_done() {
	all_settled || return 0
	lock 60 || die busy "another pfremote has been at work on this instance for a minute" "try again"
	any_active || any_ending || guard_stop
	unlock
}

need_lease() {
	is_lease_id "$A_lease" || refuse bad-lease "the lease id must be 12 hexadecimal digits"
	! refused || finish
	state_exists && lease_exists "$A_lease" && return 0
	refuse unknown-lease "there is no lease $A_lease on this host" "pfremote status shows the leases"
	finish
}

verb_status() {
	if need_state; then
		if [ -n "$A_lease" ]; then
			need_lease
			status_ids=$A_lease
		else
			status_ids=$(leases_all)
		fi
		for status_id in $status_ids; do
			say_lease "$status_id"
			if lease_active "$status_id"; then
				if guard_alive; then say lease.guard_alive yes; else say lease.guard_alive no; fi
				[ ! -s "$STATE/leases/$status_id/notes" ] || while IFS= read -r status_note; do
					warn pattern "lease $status_id: $status_note"
				done <"$STATE/leases/$status_id/notes"
			fi
		done
	elif [ -n "$A_lease" ]; then
		need_lease
	fi
	say time "$(now)"
	say config_directory "$CONF"
	say version "$I_version"
	say_unexplained
	say_clean
}

verb_extend() {
	[ -n "$A_seconds" ] && [ "$A_seconds" -ge 1 ] && [ "$A_seconds" -le 86400 ] ||
		refuse bad-duration "the window must be between one second and one day"
	! refused || finish
	need_state || :
	need_lease
	lock 30 || die busy "another pfremote is at work on this instance" "try again"
	if ! lease_active "$A_lease"; then
		refuse lease-over "lease $A_lease is over already" "start a new one with pfremote debug"
		finish
	fi
	uptime_now
	journal "$A_lease" extend "$A_seconds"
	extend_now=$(now)
	spec_set "$A_lease" deadline $((extend_now + A_seconds)) && spec_set "$A_lease" uptime $((UPTIME + A_seconds)) ||
		die state-unwritable "the new deadline could not be written; the old one stands"
	guard_arm "$(cat "$STATE/guard")" || die guard "the guard was not seen renewed; the watcher has the new deadline" "pfremote status; pfremote revert"
	note_history "extended lease=$A_lease instance=$CONF owner=$A_owner from=$A_from seconds=$A_seconds"
	unlock
	say_lease "$A_lease"
	say time "$extend_now"
}

verb_revert() {
	[ "$A_lease" = all ] || is_lease_id "$A_lease" || refuse bad-lease "the lease id must be 12 hexadecimal digits, or all"
	! refused || finish
	if ! need_state; then
		[ "$A_lease" = all ] || need_lease
		say_clean
		return 0
	fi
	if [ "$A_lease" = all ]; then revert_ids=$(leases_active); else need_lease; revert_ids=$A_lease; fi
	revert_failed=
	for revert_id in $revert_ids; do
		lease_close "$revert_id" "$A_why" || revert_failed=$revert_id
	done
	[ -z "$revert_failed" ] || die revert "main.cf could not be written back for lease $revert_failed; the guard keeps trying" \
		"df ${MAIN%/*}; ls -l $MAIN; pfremote status"
	for revert_id in $revert_ids; do
		until lease_settled "$revert_id" "$A_drain"; do sleep 0.5; done
		true >"$STATE/leases/$revert_id/settled"
	done 2>/dev/null
	guard_stop_if_done
	for revert_id in $revert_ids; do
		say_lease "$revert_id"
		revert_after=$STATE/leases/$revert_id/after
	done
	say time "$(now)"
	say_clean
	[ -z "${revert_after-}" ] || payload main.cf.after raw "$revert_after"
}

verb_collect() {
	need_state || :
	need_lease
	collect_dir=$STATE/leases/$A_lease
	say_lease "$A_lease"
	say time "$(now)"
	say utc_offset "$(date +%z)"
	say source "$(cut -d' ' -f1,4- "$collect_dir/mark" 2>/dev/null | cut -d' ' -f1-2)"
	if [ -f "$collect_dir/evidence" ]; then
		collect_file=$collect_dir/evidence
	else
		collect_mark=$(cat "$collect_dir/mark") || die mark "the lease has no log mark"
		evidence_filter "$collect_mark" | evidence_pack >"$TMP/evidence"
		evidence_losses "$collect_mark" >"$TMP/missing"
		collect_file=$TMP/evidence
	fi
	for collect_missing in "$collect_dir/missing" "$TMP/missing"; do
		[ ! -s "$collect_missing" ] || while IFS= read -r collect_line; do say missing "$collect_line"; done <"$collect_missing"
	done
	[ "$L_drained" != no ] || say missing "undrained processes of the window were still logging when the evidence was taken"
	collect_encoding=$(evidence_encoding "$collect_file")
	payload evidence "$collect_encoding" "$collect_file"
	payload main.cf.before raw "$collect_dir/before"
	payload main.cf.during raw "$collect_dir/during"
	payload main.cf.after raw "$collect_dir/after"
}

verb_forget() {
	need_state || :
	need_lease
	if lease_active "$A_lease" || [ -e "$STATE/leases/$A_lease/ending" ]; then
		refuse lease-active "lease $A_lease is still active" "pfremote revert --lease $A_lease first"
		finish
	fi
	rm -rf -- "$STATE/leases/$A_lease"
}

# sweep: run by the guard (timer, boot unit, ExecStopPost). With guard=lost the watcher has gone, whatever the reason,
# and its going is the revert of what is left.
verb_sweep() {
	IN_GUARD=yes
	! disarming || leave 0
	state_exists || leave 0
	instance_load
	log_source
	config_paths
	lock 120 || leave 4
	tmp_make "$STATE" || tmp_make || :
	if [ "$A_guard_lost" = yes ]; then sweep_locked guard-lost; else sweep_locked; fi
	sweep_result=0
	! any_ending || sweep_result=4
	any_active || any_ending || watcher_alive || guard_stop
	unlock
	leave "$sweep_result"
}
