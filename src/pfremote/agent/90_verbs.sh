# shellcheck shell=sh
# The verbs that work on leases.

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
	master_pid || refuse postfix-stopped "Postfix is not running for $CONF, there is nothing to debug" "postfix -c $CONF start"
	[ "$LOG" != none ] || refuse no-log "no log to collect from: $LOG_WHY"
	guard_choose
	policy_check
	log_free
	[ "$FREE_PERCENT" -ge "${A_min_free:-0}" ] ||
		refuse disk-low "only $FREE_PERCENT % are free where the log grows, less than the $A_min_free % asked for" "make room, or lower --min-free"
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
	leases_active
	for arm_other in $ACTIVE; do
		lease_load "$arm_other"
		peers_join "$arm_other" ,
		say other "$arm_other owner=$(percent_encode "$L_owner") left=$((L_deadline - $(now))) peers=$PEERS"
	done
	lease_begin
	unlock
	lease_count_predating "$A_lease"
	say_lease "$A_lease"
	say time "$(now)"
	say log "$LOG"
	say log_why "$LOG_WHY"
	say reload "$RELOAD"
	say_values "$CONF"
	first_line "$STATE/leases/$A_lease/predating" || LINE=0
	say predating "$LINE"
	payload main.cf.before raw "$STATE/leases/$A_lease/before"
	payload main.cf.during raw "$STATE/leases/$A_lease/during"
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
	tmp_make "$STATE" || tmp_make || :
	lock 60 || die busy "another pfremote has been at work on this instance for a minute" "try again"
	sweep_locked
	unlock
	settle_ended
	settle_wait
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
	lease_load "$A_lease"
	[ -z "$P_max_minutes" ] || [ $(($(now) + A_seconds)) -le $((L_since + P_max_minutes * 60)) ] ||
		refuse policy "this host allows windows of at most $P_max_minutes minutes, extensions included ($POLICY)" "start a new window when this one is over"
	! refused || finish
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
	note_history "extended lease=$A_lease instance=$CONF owner=$A_owner login=$LOGIN from=$A_from seconds=$A_seconds"
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
	leases_active
	if [ "$A_lease" = all ]; then revert_ids=$ACTIVE; else need_lease; revert_ids=$A_lease; fi
	revert_failed=
	for revert_id in $revert_ids; do
		lease_close "$revert_id" "$A_why" || revert_failed=$revert_id
	done
	[ -z "$revert_failed" ] || die revert "lease $revert_failed could not be ended, main.cf or the state folder cannot be written; the guard keeps trying" \
		"df ${MAIN%/*} $STATE; ls -l $MAIN; pfremote status"
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
	[ -z "${revert_after-}" ] || payload main.cf.after raw "$revert_after"
}

verb_collect() {
	need_state || :
	need_lease
	tmp_make "$STATE" || tmp_make || die tmp "no temporary folder can be made (disk full?)"
	collect_dir=$STATE/leases/$A_lease
	say_lease "$A_lease"
	say time "$(now)"
	say utc_offset "$(date +%z)"
	say source "$(sed 's/^file [^ ]* [^ ]* [^ ]* /file:/; s/^journal .*/journal/' "$collect_dir/mark" 2>/dev/null)"
	if [ -f "$collect_dir/evidence" ]; then
		collect_file=$collect_dir/evidence collect_losses=$collect_dir/missing
	else
		collect_mark=$(cat "$collect_dir/mark") || die mark "the lease has no log mark"
		collect_file=$TMP/evidence
		evidence_make "$collect_mark" "$collect_file" || collect_lack="cut the host had no room to find all of the evidence"
		collect_losses=$TMP/missing
		evidence_losses "$collect_mark" >"$collect_losses"
	fi
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

# restore: after a revert that found conflicts, put the values of before the window over those that somebody else set
# in it. Only when told to by name: it is another person's edit. With check=yes nothing changes.
verb_restore() {
	need_state || :
	need_lease
	tmp_make "$STATE" || tmp_make || die tmp "no temporary folder can be made (disk full?)"
	restore_dir=$STATE/leases/$A_lease
	! lease_active "$A_lease" && [ -s "$restore_dir/conflict" ] && [ -f "$restore_dir/before" ] ||
		refuse no-conflict "lease $A_lease has no conflict to settle" "pfremote status"
	! any_active || refuse lease-active "another lease is active on this instance" "pfremote status; wait for its end"
	! refused || finish
	lock 30 || die busy "another pfremote is at work on this instance" "try again"
	copy_make "$restore_dir/before" "$TMP/base" && copy_make "$MAIN" "$TMP/forced" && cat -- "$MAIN" >"$TMP/seen" &&
		conf_read "$TMP/base" || die tmp "no private copy of main.cf can be made (disk full?)"
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
	if [ "$A_check" = no ]; then
		swap_in "$TMP/forced/main.cf" "$TMP/seen" || die main-cf "main.cf could not be changed; it is as it was"
		rm -f -- "$restore_dir/conflict"
		postfix_reload || warn reload-failed "postfix reload failed" "postfix -c $CONF check"
		note_history "restored lease=$A_lease instance=$CONF owner=$A_owner login=$LOGIN from=$A_from (over another's edit, by --force)"
	fi
	unlock
	say_lease "$A_lease"
	say time "$(now)"
	say_clean
	payload main.cf.before raw "$TMP/seen"
	payload main.cf.after raw "$TMP/forced/main.cf"
}

# history: what was done on this instance, newest last.
verb_history() {
	instance_load || :
	[ ! -f "$STATE/history.log" ] || ! state_exists || tail -n "${A_lines:-50}" "$STATE/history.log" | while IFS= read -r history_line; do
		say history "$history_line"
	done
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
	if any_expired; then lock_overdue || leave 4; else lock 120 || leave 4; fi
	tmp_make "$STATE" || tmp_make || :
	if [ "$A_guard_lost" = yes ]; then sweep_locked guard-lost; else sweep_locked; fi
	sweep_result=0
	! any_ending || sweep_result=4
	any_active || any_ending || watcher_alive || guard_stop
	unlock
	leave "$sweep_result"
}
