# shellcheck shell=sh
# The verbs that work on leases.

verb_arm() {
	is_lease_id "$A_lease" || refuse bad-lease "the lease id must be 12 hexadecimal digits"
	duration_check
	instance_load || refuse no-postfix "postconf does not answer for $CONF" "Look on the host with: postconf -c $CONF mail_version"
	finish_refused
	peers_check
	levels_check
	A_drain=${A_drain:-60}
	log_check || finish_refused
	config_paths
	master_pid || refuse postfix-stopped "Postfix is not running for $CONF, there is nothing to debug" "Start it on the host with: postfix -c $CONF start"
	source_judge_for_arm
	log_check_link
	guard_choose
	policy_check
	log_free
	[ "$FREE_PERCENT" -ge "${A_min_free:-0}" ] ||
		refuse disk-low "only $FREE_PERCENT % are free where the log grows, less than the $A_min_free % asked for" "Make room, or lower --min-free."
	config_refuse
	finish_refused
	if [ "$A_check" = yes ]; then arm_check; else arm_do; fi
}

arm_do() {
	state_make || { refuse state-unwritable "the state folder $STATE cannot be made, or is not root's alone" "Look on the host with: ls -ld $STATE_ROOT $STATE; df $STATE_ROOT"; finish; }
	lock 30 || die busy "another pfremote has been at work on this instance for 30 seconds" "Try again; see on the host who is at work with: ps ax | grep pfremote"
	if lease_exists "$A_lease"; then
		refuse lease-exists "lease $A_lease exists already on this host"
		finish
	fi
	tmp_make "$STATE" || { refuse state-unwritable "the state folder $STATE cannot be written (disk full?)" "Look on the host with: df $STATE_ROOT"; finish; }
	sweep_locked
	# again, with the lock: another arm of the same account may have come in between
	usage_check "$A_lease" '' "$A_seconds"
	finish_refused
	if ! source_prove; then
		source_refuse
		unlock
		finish
	fi
	log_check_link
	finish_refused
	leases_active
	for arm_other in $ACTIVE; do
		lease_load "$arm_other"
		peers_join "$STATE/leases/$arm_other/peers" ,
		say other "$arm_other owner=$L_owner left=$((L_deadline - $(now))) peers=$PEERS"
	done
	lease_begin
	unlock
	lease_count_predating "$A_lease"
	arm_now=$(now)
	say_lease "$A_lease" "$arm_now"
	say time "$arm_now"
	say log "$LOG"
	say log_why "$LOG_WHY"
	say reload "$RELOAD"
	say_values "$CONF"
	first_line "$STATE/leases/$A_lease/predating" || LINE=0
	say predating "$LINE"
	payload_main_cf before "$STATE/leases/$A_lease/before"
	payload_main_cf during "$STATE/leases/$A_lease/during"
}

# payload_main_cf MOMENT FILE: a copy of main.cf. Through an installed agent the whole file only where every user may read it;
# else its lines of our five parameters.
payload_main_cf() {
	[ -f "$2" ] || return 0
	if is_boundary && ! main_cf_is_public "$2"; then
		if [ "${payload_private-no}" = no ]; then
			payload_private=yes
			warn private-main-cf "not every user may read $MAIN: of it only the parameters of debugging are shown"
		fi
		tmp_make || return 0
		copy_make "$2" "$TMP/shown" || return 0
		# shellcheck disable=SC2086 # a list of names
		run postconf -c "$TMP/shown" -n $PARAMETERS 2>/dev/null >"$TMP/shown.cf" || return 0
		payload "main.cf.$1" raw "$TMP/shown.cf"
	else
		payload "main.cf.$1" raw "$2"
	fi
}

# main_cf_is_public COPY: every user may read main.cf, and could when COPY was made of it, which has its mode.
main_cf_is_public() {
	path_look "$MAIN"
	[ "$LOOK" = public ] || return 1
	# shellcheck disable=SC2012 # ls -n is the portable way to a mode
	case $(ls -ldn -- "$1") in
	-r??r??r??*) ;;
	*) return 1 ;;
	esac
}

say_values() {
	conf_known "$1" || return 0
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
		leases_active
		for arm_check_id in $ACTIVE; do
			mkdir -- "$TMP/state/leases/$arm_check_id"
			lease_patterns "$arm_check_id"
			cp -- "$STATE/leases/$arm_check_id/spec" "$STATE/leases/$arm_check_id/active" "$TMP/state/leases/$arm_check_id/"
			cp -- "$PATTERNS" "$TMP/state/leases/$arm_check_id/patterns"
		done
		if [ -f "$STATE/baseline/main.cf" ]; then arm_check_base=$STATE/baseline/main.cf; fi
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
	route_peers
	if [ -z "$A_instance" ]; then
		instances_all
		for arm_check_instance in $INSTANCES; do say instance "$arm_check_instance"; done
	fi
	payload_main_cf before "$MAIN"
	cp -p -- "$MAIN" "$TMP/planned" && cat -- "$TMP/next/main.cf" >"$TMP/planned" || return 0
	payload_main_cf during "$TMP/planned"
}

# need_state: for verbs on leases. The first look heals what a crash left.
need_state() {
	instance_load || :
	config_paths
	state_exists || return 1
	tmp_make "$STATE" || tmp_make || :
	lock_patient || die busy "another pfremote has been at work on this instance for a minute" "Try again."
	sweep_locked
	unlock
	settle_ended
	settle_wait
	guard_stop_if_done
}

guard_stop_if_done() {
	all_settled || return 0
	lock_patient || die busy "another pfremote has been at work on this instance for a minute" "Try again."
	if none_left; then guard_stop; fi
	unlock
}

need_lease() {
	is_lease_id "$A_lease" || refuse bad-lease "the lease id must be 12 hexadecimal digits"
	finish_refused
	state_exists && lease_exists "$A_lease" && return 0
	refuse unknown-lease "there is no lease $A_lease on this host" "See the leases with: pfremote status HOST"
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
				if watcher_alive; then say lease.guard_alive yes; else say lease.guard_alive no; fi
				if [ -s "$STATE/leases/$status_id/notes" ]; then
					while IFS= read -r status_note; do
						case $status_note in
						-) warn pattern "lease $status_id: Postfix warns of a pattern of main.cf's own debug_peer_list" "The mail log says which, with: grep debug_peer_list" ;;
						*) warn pattern "lease $status_id: Postfix warns of the pattern $status_note and may not use those behind it" "The mail log says why, with: grep debug_peer_list" ;;
						esac
					done <"$STATE/leases/$status_id/notes"
				fi
			fi
		done
	elif [ -n "$A_lease" ]; then
		need_lease
	fi
	say time "$(now)"
	say config_directory "$CONF"
	say version "$I_version"
	say_unexplained
	say_instances
	say_clean
}

verb_extend() {
	duration_check
	finish_refused
	need_state || :
	need_lease
	lease_load "$A_lease"
	[ -z "$P_max_minutes" ] || [ $(($(now) + A_seconds)) -le $((L_since + P_max_minutes * 60)) ] ||
		refuse policy "this host allows windows of at most $P_max_minutes minutes, extensions included ($POLICY)" "Start a new window when this one is over."
	usage_check "$A_lease" "$L_since" $(($(now) + A_seconds - L_since))
	finish_refused
	lock 30 || die busy "another pfremote is at work on this instance" "Try again."
	if ! lease_active "$A_lease"; then
		refuse lease-over "lease $A_lease is over already" "Start a new window with pfremote debug."
		finish
	fi
	uptime_now
	journal "$A_lease" extend "$A_seconds"
	extend_now=$(now)
	extend_note || die audit "who asks for this could not be written into $STATE/history.log, and so it is not done; the old deadline stands"
	spec_set "$A_lease" deadline $((extend_now + A_seconds)) && spec_set "$A_lease" uptime $((UPTIME + A_seconds)) ||
		die state-unwritable "the new deadline could not be written; the old one stands"
	spec_set "$A_lease" extended "$A_owner" || :
	guard_arm "$(cat "$STATE/guard")" || die guard "the guard was not seen renewed; the watcher has the new deadline" "End it with: pfremote revert HOST"
	unlock
	say_lease "$A_lease"
	say time "$extend_now"
}

extend_note() {
	usage_note "$L_account" "$A_lease" "$L_since" $((extend_now + A_seconds)) &&
		note_history "extended login=$LOGIN uid=$ACCOUNT lease=$A_lease instance=$CONF seconds=$A_seconds owner=$A_owner from=$A_from"
}

verb_revert() {
	[ "$A_lease" = all ] || is_lease_id "$A_lease" || refuse bad-lease "the lease id must be 12 hexadecimal digits, or all"
	finish_refused
	if ! need_state; then
		[ "$A_lease" = all ] || need_lease
		say_clean
		return 0
	fi
	leases_active
	if [ "$A_lease" = all ]; then revert_ids=$ACTIVE; else need_lease; revert_ids=$A_lease; fi
	revert_failed=
	for revert_id in $revert_ids; do
		lease_close "$revert_id" "$A_why" || revert_failed=$revert_id
	done
	[ -z "$revert_failed" ] || die revert "lease $revert_failed could not be ended, main.cf or the state folder cannot be written; the guard keeps trying" \
		"Look on the host with: df ${MAIN%/*} $STATE; ls -l $MAIN"
	for revert_id in $revert_ids; do
		until lease_settled "$revert_id" "$A_drain"; do sleep 0.5; done
		lease_mark_settled "$revert_id"
	done 2>/dev/null
	guard_stop_if_done
	for revert_id in $revert_ids; do
		say_lease "$revert_id"
		revert_after=$STATE/leases/$revert_id/after
	done
	say time "$(now)"
	say_clean
	if [ -n "${revert_after-}" ]; then payload_main_cf after "$revert_after"; fi
}

verb_collect() {
	need_state || :
	need_lease
	tmp_make "$STATE" || tmp_make || die tmp "no temporary folder can be made (disk full?)"
	collect_dir=$STATE/leases/$A_lease
	say_lease "$A_lease"
	say time "$(now)"
	say utc_offset "$(date +%z)"
	log_of_lease "$A_lease"
	say source "$LOG"
	[ ! -f "$collect_dir/lists" ] || while IFS= read -r collect_list; do say list "$collect_list"; done <"$collect_dir/lists"
	collect_find
	collect_complete=yes
	if [ -n "${collect_lack-}" ]; then
		collect_complete=no
		say missing "$collect_lack"
	fi
	if [ -s "$collect_losses" ]; then
		collect_complete=no
		while IFS= read -r collect_line; do say missing "$collect_line"; done <"$collect_losses"
	fi
	say complete "$collect_complete"
	collect_encoding=$(evidence_encoding "$collect_file")
	if [ -n "$A_most" ]; then
		collect_piece
	else
		payload evidence "$collect_encoding" "$collect_file"
	fi
	[ "${A_begin:-0}" -eq 0 ] || return 0
	payload_main_cf before "$collect_dir/before"
	payload_main_cf during "$collect_dir/during"
	payload_main_cf after "$collect_dir/after"
}

# collect_find: into collect_file the packed evidence, into collect_losses why it may not be all.
collect_find() {
	if [ -f "$collect_dir/evidence" ]; then
		collect_file=$collect_dir/evidence collect_losses=$collect_dir/missing
	elif [ "${A_begin:-0}" -gt 0 ] && [ -f "$collect_dir/partial" ]; then
		collect_file=$collect_dir/partial collect_losses=$TMP/missing
	else
		collect_mark=$(cat "$collect_dir/mark") || die mark "the lease has no log mark"
		collect_file=$TMP/evidence
		evidence_make "$collect_mark" "$collect_file" || collect_lack="cut the host had no room to find all of the evidence"
		collect_losses=$TMP/missing
		evidence_losses "$collect_mark" "$A_lease" >"$collect_losses"
		# the pieces that follow must be of the same evidence, and the window is still open
		[ -z "$A_most" ] || ! mv -f -- "$collect_file" "$collect_dir/partial" || collect_file=$collect_dir/partial
	fi
}

# sum_and_size FILE: a checksum and the size, as cksum(1) prints them; not every busybox has that one.
sum_and_size() { cksum <"$1" 2>/dev/null || printf '%s %s\n' "$(sha256sum <"$1" | cut -c 1-16)" $(($(wc -c <"$1"))); }

# collect_piece: A_most bytes of the packed evidence from A_begin on. Its checksum and size go along, so that the client
# sees whether all its pieces are of one evidence, and when it has the last one.
collect_piece() {
	tail -c "+$((${A_begin:-0} + 1))" -- "$collect_file" 2>/dev/null | head -c "$A_most" >"$TMP/piece"
	say evidence_sum "$(sum_and_size "$collect_file")"
	say evidence_encoding "$collect_encoding"
	payload evidence.piece raw "$TMP/piece"
}

verb_forget() {
	need_state || :
	need_lease
	if lease_active "$A_lease" || [ -e "$STATE/leases/$A_lease/ending" ]; then
		refuse lease-active "lease $A_lease is still active" "End it first with: pfremote revert HOST --lease $A_lease"
		finish
	fi
	note_history "forgotten login=$LOGIN uid=$ACCOUNT lease=$A_lease instance=$CONF owner=$A_owner from=$A_from" || :
	rm -rf -- "$STATE/leases/$A_lease"
}

# restore: after a revert that found conflicts, put the values of before the window over those that another user set
# in it. Only when told to by name: it is another person's edit. With check=yes nothing changes.
verb_restore() {
	need_state || :
	need_lease
	tmp_make "$STATE" || tmp_make || die tmp "no temporary folder can be made (disk full?)"
	restore_dir=$STATE/leases/$A_lease
	if lease_active "$A_lease" || [ ! -s "$restore_dir/conflict" ] || [ ! -f "$restore_dir/before" ]; then
		refuse no-conflict "lease $A_lease has no conflict to settle" "See the leases with: pfremote status HOST"
	fi
	if any_active; then refuse lease-active "another lease is active on this instance" "Wait for its end; see when that is with: pfremote status HOST"; fi
	finish_refused
	lock 30 || die busy "another pfremote is at work on this instance" "Try again."
	copy_make "$restore_dir/before" "$TMP/base" && copy_make "$MAIN" "$TMP/forced" && cp -p -- "$MAIN" "$TMP/seen" &&
		conf_read "$TMP/base" || die tmp "no private copy of main.cf can be made (disk full?)"
	restore_values
	if [ "$A_check" = no ]; then
		note_history "restored login=$LOGIN uid=$ACCOUNT lease=$A_lease instance=$CONF owner=$A_owner from=$A_from (over another's edit, by --force)" ||
			die audit "who asks for this could not be written into $STATE/history.log, and so it is not done"
		swap_in "$TMP/forced/main.cf" "$TMP/seen" || die main-cf "main.cf could not be changed; it is as it was"
		rm -f -- "$restore_dir/conflict"
		postfix_reload || warn reload-failed "postfix reload failed" "Look on the host with: postfix -c $CONF check"
	fi
	unlock
	say_lease "$A_lease"
	say time "$(now)"
	say_clean
	payload_main_cf before "$TMP/seen"
	cp -p -- "$TMP/seen" "$TMP/restored" && cat -- "$TMP/forced/main.cf" >"$TMP/restored" && payload_main_cf after "$TMP/restored"
}

# restore_values: each parameter of the conflict gets its old value in the private copy.
restore_values() {
	while read -r restore_name restore_rest; do
		: "$restore_rest"
		eval "restore_has=\$H_$restore_name restore_value=\$R_$restore_name"
		if [ "$restore_has" = yes ]; then
			run postconf -c "$TMP/forced" -e "$restore_name=$restore_value" 2>/dev/null
		else
			run postconf -c "$TMP/forced" -X "$restore_name" 2>/dev/null
		fi || die main-cf "postconf cannot make this change on a copy of main.cf"
		cool "$TMP/forced/main.cf"
	done <"$restore_dir/conflict"
}

# history: what was done on this instance, newest last.
verb_history() {
	instance_load || :
	[ -f "$STATE/history.log" ] && state_exists || return 0
	tail -n "${A_lines:-50}" "$STATE/history.log" | while IFS= read -r history_line; do say history "$history_line"; done
}

# sweep: run by the guard (timer, boot unit, ExecStopPost). With guard=lost the watcher has gone, whatever the reason,
# and its going is the revert of what is left.
verb_sweep() {
	IN_GUARD=yes
	if disarming; then leave 0; fi
	state_exists || leave 0
	instance_load
	config_paths
	if any_expired; then lock_overdue || leave 4; else lock 120 || leave 4; fi
	tmp_make "$STATE" || tmp_make || :
	if [ "$A_guard_lost" = yes ]; then sweep_locked guard-lost; else sweep_locked; fi
	sweep_result=0
	if any_ending; then sweep_result=4; fi
	if none_left; then watcher_alive || guard_stop; fi
	unlock
	leave "$sweep_result"
}
