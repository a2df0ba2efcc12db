# shellcheck shell=sh
# A lease's life: begin, end, settle, and the sweep that finishes what a crash left.

# lease_begin: everything of arm under the lock, in the order of promise P2: baseline saved, guard armed, guard seen,
# then main.cf. Any failure before the swap leaves main.cf untouched.
lease_begin() {
	LEASE_DIR=$STATE/leases/$A_lease
	mkdir -- "$LEASE_DIR" 2>/dev/null || arm_fail state-unwritable "the state folder $STATE cannot be written (disk full?)"
	lease_write || arm_fail state-unwritable "the state folder $STATE cannot be written (disk full?)"
	journal "$A_lease" baseline
	baseline_save || arm_fail baseline "main.cf could not be saved (disk full?)"
	cp -p -- "$MAIN" "$LEASE_DIR/before" || arm_fail baseline "main.cf could not be saved (disk full?)"
	journal "$A_lease" mark
	mark_save || arm_fail mark "the position in the log could not be saved"
	journal "$A_lease" guard "$A_guard"
	agent_save || arm_fail agent "the agent could not be saved in $STATE (disk full?)"
	true >"$LEASE_DIR/active" || arm_fail state-unwritable "the state folder $STATE cannot be written (disk full?)"
	settle_disk "$LEASE_DIR/spec" "$LEASE_DIR/peers" "$LEASE_DIR/mark" "$LEASE_DIR" "$STATE/agent" "$STATE/leases" "$STATE"
	guard_arm_chosen || arm_fail guard "the guard ($A_guard) could not be armed, or was not seen armed${GUARD_SAID:+: $GUARD_SAID}" \
		"Choose another with --guard, of those that pfremote check shows."
	journal "$A_lease" guarded "$A_guard"
	ticks_now
	orig_save || arm_fail main-cf-readonly "no file can be made in ${MAIN%/*}"
	printf 'swapped_ticks=%s\n' "$TICKS" >"$LEASE_DIR/swapped" || arm_fail state-unwritable "the state folder $STATE cannot be written"
	lease_audit || arm_fail audit "who asks for this could not be written into $STATE/history.log, and so it is not done"
	journal "$A_lease" swap
	INSIST=no
	config_apply || arm_fail main-cf "main.cf could not be changed; it is as it was"
	journal "$A_lease" swapped
	lists_save
	cp -p -- "$MAIN" "$LEASE_DIR/during" 2>/dev/null || rm -f -- "$LEASE_DIR/during"
	journal "$A_lease" reload
	postfix_reload || arm_fail reload "postfix reload failed" "The reason is in the mail log; look on the host with: postfix -c $CONF check"
	first_line "$LEASE_DIR/mark" && postfix_unwell "$LINE" &&
		arm_fail unwell "Postfix is unwell with the change: $UNWELL" "The reason is in the mail log."
	journal "$A_lease" armed
	printf '%s\n' "$((JOURNAL_BASE + UPTIME))" >"$LEASE_DIR/armed" || [ -e "$LEASE_DIR/armed" ] || arm_fail state-unwritable "the state folder $STATE cannot be written"
	if first_line "$LEASE_DIR/mark"; then printf '%s\n' "$LINE" >"$LEASE_DIR/scan" 2>/dev/null || :; fi
	printf '%s\n' "armed_reload=$RELOAD" >>"$LEASE_DIR/log" 2>/dev/null || :
	[ "$RELOAD" = seen ] || [ "$LOG" = elsewhere ] || warn reload-unseen "master's reload line was not seen in the log ($LOG)"
}

# lease_audit: who asked for what, before it is done. What the client says of itself comes last and is encoded.
lease_audit() {
	peers_join "$LEASE_DIR/peers" ,
	percent_encode "$PEERS"
	usage_note "$ACCOUNT" "$A_lease" "$lease_write_now" $((lease_write_now + A_seconds)) &&
		note_history "armed login=$LOGIN uid=$ACCOUNT lease=$A_lease instance=$CONF seconds=$A_seconds peers=$ENCODED owner=$A_owner from=$A_from reason=$A_reason"
}

# lists_save: the debug_peer_list that is in force from now on, into the file `lists` of each active lease; into ours also
# the patterns of leases that have ended and whose processes may still be verbose. They tell whose a session can be.
lists_save() {
	leases_active
	for lists_id in $ACTIVE; do
		printf '%s\n' "$W_debug_peer_list" >>"$STATE/leases/$lists_id/lists" 2>/dev/null || :
	done
	for lists_dir in "$STATE"/leases/*; do
		if lease_unsettled "${lists_dir##*/}" && [ -f "$lists_dir/peers" ]; then
			lease_patterns "${lists_dir##*/}"
			peers_join "$PATTERNS" ', '
			printf '%s\n' "$PEERS" >>"$LEASE_DIR/lists" 2>/dev/null || :
		fi
	done
}

lease_write() {
	lease_write_now=$(now)
	uptime_now
	JOURNAL_BASE=$((lease_write_now - UPTIME)) cool_uptime=$UPTIME cool_time=$((lease_write_now - 3))
	boot_now
	# for the tokens of tail; random(4): it has 122 bits of the kernel's randomness
	if first_line /proc/sys/kernel/random/uuid; then lease_write_key=$LINE; else lease_write_key=$(od -An -tx1 -N16 /dev/urandom); fi
	# shellcheck disable=SC2086 # printf puts the bytes together
	printf '%s\n' "owner=$A_owner" "login=$LOGIN" "account=$ACCOUNT" "installed=${PFREMOTE_INSTALLED-no}" "from=$A_from" "reason=$A_reason" "since=$lease_write_now" \
		"deadline=$((lease_write_now + A_seconds))" "uptime=$((UPTIME + A_seconds))" "boot=$BOOT" "guard=$A_guard" \
		"level=$A_level" "smtpd_tls=$A_smtpd_tls" "smtp_tls=$A_smtp_tls" "lmtp_tls=$A_lmtp_tls" \
		"stop_after=$A_stop_after" "max_log=$A_max_log" "min_free=$A_min_free" "drain=$A_drain" \
		>"$LEASE_DIR/spec" 2>/dev/null &&
		printf '%s' "$A_peers" >"$LEASE_DIR/peers" 2>/dev/null &&
		printf '%s' "$A_patterns" >"$LEASE_DIR/patterns" 2>/dev/null &&
		printf '%s' $lease_write_key >"$LEASE_DIR/key" 2>/dev/null
}

# lease_count_predating ID: the mail processes that the reload did not end, since each is in a session: those sessions began
# before the window, and stay quiet. Idle ones leave within a moment (single_server.c, multi_server.c).
lease_count_predating() {
	lease_load "$1"
	lease_count_file=$STATE/leases/$1/predating lease_count_tries=3
	while :; do
		lease_count=0
		# shellcheck disable=SC2046 # three words each
		set -- $(mail_processes)
		while [ "$#" -gt 2 ]; do
			[ "$3" -ge "$L_swapped_ticks" ] || lease_count=$((lease_count + 1))
			shift 3
		done
		[ "$lease_count" -gt 0 ] && [ "$lease_count_tries" -gt 0 ] || break
		lease_count_tries=$((lease_count_tries - 1))
		sleep 0.05
	done
	printf '%s\n' "$lease_count" >"$lease_count_file" 2>/dev/null || :
}

# arm_fail CODE TEXT [HINT]: undo what this arm did so far, by the same code as every other end, and say so.
arm_fail() {
	arm_fail_touched=no
	if [ -e "$LEASE_DIR/active" ]; then
		# cannot be undone yet (a disk that turned read-only in between): the guard stays and goes on
		lease_end "$A_lease" arm-failed || arm_fail_touched=yes
	fi
	if none_left; then
		if [ -d "$STATE/baseline" ] && cmp -s -- "$MAIN" "$STATE/baseline/main.cf"; then baseline_drop; fi
		guard_stop
	fi
	usage_note "$ACCOUNT" "$A_lease" 0 0 || :
	note_history "arm-failed login=$LOGIN uid=$ACCOUNT lease=$A_lease instance=$CONF code=$1" || :
	[ "$arm_fail_touched" = yes ] || rm -rf -- "$LEASE_DIR"
	unlock
	look_clean || :
	say touched "$arm_fail_touched"
	die "$@"
}

# postfix_unwell POSITION: a daemon died since then, or is held back. Sets UNWELL.
postfix_unwell() {
	tmp_make || return 1
	log_since "$1" >"$TMP/since" 2>/dev/null
	unwell_find "$1" "$TMP/since"
}

# lease_end ID WHY: the revert. The lease stops being active first, then main.cf becomes what is left. `ending`
# stays until that is done, so the next one to come (watcher, sweep, another client) goes on here.
lease_end() {
	[ -e "$STATE/leases/$1/active" ] || [ -e "$STATE/leases/$1/ending" ] || return 0
	journal "$1" revert "$2"
	if [ -e "$STATE/leases/$1/active" ]; then
		mv -f -- "$STATE/leases/$1/active" "$STATE/leases/$1/ending" 2>/dev/null || { lease_end_unwritten "$1"; return 1; }
	fi
	if [ ! -s "$STATE/leases/$1/why" ]; then printf '%s\n' "$2" >"$STATE/leases/$1/why" 2>/dev/null || :; fi
	lease_end_others
	INSIST=yes
	journal "$1" apply
	if ! config_apply; then
		journal "$1" apply-failed
		return 1
	fi
	journal "$1" applied "$RESTORED"
	# While main.cf was gone, or no Postfix program could read it, nothing could be learnt about the instance.
	if [ -z "$I_queue" ]; then instance_load || :; fi
	log_of_lease "$1"
	lease_end_reload
	journal "$1" reloaded "$RELOAD"
	lease_end_record "$1" "$2"
	lease_end_guard "$1"
	postconf_lock_clean
	journal "$1" reverted
	lease_end_by="login=$LOGIN uid=$ACCOUNT"
	[ "$IN_GUARD" = no ] || lease_end_by=by=guard
	if [ -s "$STATE/leases/$1/conflict" ]; then lease_end_by="conflict $lease_end_by"; fi
	note_history "reverted lease=$1 instance=$CONF why=$2 restored=$RESTORED reload=$RELOAD $lease_end_by" || :
}

# lease_end_record ID WHY: into its folder: how it ended, what main.cf is now, and which processes have to drain.
lease_end_record() {
	if [ -n "$TMP" ] && [ -s "$TMP/conflict" ]; then cp -- "$TMP/conflict" "$STATE/leases/$1/conflict" 2>/dev/null || :; fi
	cp -p -- "$MAIN" "$STATE/leases/$1/after" 2>/dev/null || rm -f -- "$STATE/leases/$1/after"
	lease_load "$1"
	lease_began >"$STATE/leases/$1/candidates" 2>/dev/null || rm -f -- "$STATE/leases/$1/candidates"
	printf '%s\n' "why=$(cat "$STATE/leases/$1/why" 2>/dev/null || printf '%s' "$2")" "ended=$(now)" "restored=$RESTORED" \
		"reload=$RELOAD" >"$STATE/leases/$1/result" 2>/dev/null || :
	usage_note "$L_account" "$1" "$L_since" "$(now)" || :
}

# lease_end_guard ID: the guard is renewed for the leases that remain; with the last one it goes.
lease_end_guard() {
	if any_active; then
		[ "$IN_GUARD" = yes ] || guard_arm "$(cat "$STATE/guard")" ||
			warn guard-weak "the guard of the remaining leases was not seen renewed"
	elif ! any_ending "$1"; then
		journal "$1" disarm
		baseline_drop
	fi
	rm -f -- "$STATE/leases/$1/ending"
	# The guard goes last: as long as anything else is there, a reboot finds a guard that removes it.
	if none_left; then guard_drop; fi
}

# lease_end_unwritten ID: the state folder cannot be written (a disk that turned read-only), main.cf may be: it is what
# counts. The lease ends for good when its end can be written down; until then this process does it once.
lease_end_unwritten() {
	case $LEASES_OVER in
	*" $1 "*) return 0 ;;
	esac
	lease_end_over=$LEASES_OVER
	LEASES_OVER="$LEASES_OVER $1 "
	INSIST=yes
	if config_apply; then
		log_of_lease "$1"
		lease_end_reload
	else
		LEASES_OVER=$lease_end_over
	fi
}

# lease_end_others: every lease whose time is over ends with the same edit: none waits for the reload of another.
lease_end_others() {
	leases_active
	for lease_end_other in $ACTIVE; do
		lease_load "$lease_end_other"
		[ -e "$STATE/leases/$lease_end_other/armed" ] && lease_over || continue
		journal "$lease_end_other" revert "$OVER"
		mv -f -- "$STATE/leases/$lease_end_other/active" "$STATE/leases/$lease_end_other/ending" || continue
		printf '%s\n' "$OVER" >"$STATE/leases/$lease_end_other/why" 2>/dev/null || :
	done
}

# lease_began: of the lease that is loaded, the mail processes that began with or after its change, as mail_processes does.
lease_began() { mail_processes | awk -v since="$L_swapped_ticks" '$3 >= since'; }

# A reload that fails leaves old settings in idle processes: try again before we say so.
lease_end_reload() {
	lease_end_tries=3
	until postfix_reload; do
		lease_end_tries=$((lease_end_tries - 1))
		[ "$lease_end_tries" -gt 0 ] || return 0
		sleep 1
	done
}

# lease_close ID WHY: lease_end under the lock, for those who do not hold it.
lease_close() {
	case $IN_GUARD:$2 in
	yes:deadline | yes:reboot) lock_overdue || return 1 ;;
	*) lock_patient || return 1 ;;
	esac
	lease_end "$1" "$2"
	lease_close_result=$?
	unlock
	return "$lease_close_result"
}

# lease_settled ID: is everything done that follows a revert? One look, no waiting: who is still verbose, then the
# evidence. Returns 1 while processes that began in the window are still verbose and the drain time is not over.
lease_settled() {
	L_reload=
	[ -e "$STATE/leases/$1/armed" ] || return 0
	if lease_active "$1" || [ -e "$STATE/leases/$1/ending" ]; then return 0; fi
	lease_load "$1"
	if [ "$L_reload" = failed ] && ! lease_reload_again "$1"; then
		! lease_draining "${2:-$L_drain}" || return 1
	fi
	if [ "$L_drained" = yes ] && [ -f "$STATE/leases/$1/evidence" ]; then return 0; fi
	lease_verbose "$1"
	L_behind=
	if [ -n "$LEASE_VERBOSE" ] && lease_draining "${2:-$L_drain}"; then return 1; fi
	lease_claim "$1" || return 1
	if [ -z "$LEASE_VERBOSE" ]; then
		# what was written at the very end of a session is still on its way through the logging system; it may tell that a process
		# is verbose which was not known for one
		source_catch_up "$1" || L_behind=yes
		lease_verbose "$1"
		if [ -n "$LEASE_VERBOSE" ] && lease_draining "${2:-$L_drain}"; then
			rm -f -- "$STATE/leases/$1/settler"
			return 1
		fi
	fi
	if [ -n "$LEASE_VERBOSE" ]; then
		L_drained=no
		printf 'drained=no\n' >"$STATE/leases/$1/drained" 2>/dev/null || :
		evidence_save "$1"
	else
		L_drained=yes
		printf 'drained=yes\n' >"$STATE/leases/$1/drained" 2>/dev/null || :
		evidence_save "$1" anew
	fi
	# an evidence that cannot be stored (disk full) is read from the log itself at collect
	rm -f -- "$STATE/leases/$1/settler"
}

# lease_draining SECONDS: of the lease that is loaded, have so many not gone by since its end?
lease_draining() { [ "$(now)" -lt $((${L_ended:-0} + $1)) ]; }

# lease_claim ID: one process at a time takes the evidence, since it may be a gigabyte of log. One that died doing it has no
# claim, nor one that has been at it for minutes (SIGSTOP, a hanging disk): two at once only do it twice.
lease_claim() {
	if signed "$STATE/leases/$1/settler" && [ "$SIGNER" != "$$" ] &&
		[ -z "$(find "$STATE/leases/$1/settler" -mmin +2 2>/dev/null)" ]; then
		settle_claimed=yes
		return 1
	fi
	proc_me
	put "$STATE/leases/$1/settler" "$ME" || : # a full disk
}

# lease_reload_again ID: the reload failed when this lease ended, so idle processes may have the debug settings still.
# The watcher tries every five seconds, every other look tries as well, until it works or Postfix is stopped.
lease_reload_again() {
	[ $((${watch_tick:-0} % 5)) -eq 0 ] || return 1
	log_of_lease "$1"
	postfix_reload || return 1
	L_reload=$RELOAD
	{
		grep -v '^reload=' "$STATE/leases/$1/result"
		printf 'reload=%s\n' "$RELOAD"
	} | put "$STATE/leases/$1/result"
	journal "$1" reloaded "$RELOAD"
}

# lease_mark_settled ID: after lease_settled; not while a reload is owed.
lease_mark_settled() { [ "$L_reload" = failed ] || true >"$STATE/leases/$1/settled"; }

# lease_unsettled ID: it has ended, and what follows an end is not done.
lease_unsettled() {
	[ -d "$STATE/leases/$1" ] || return 1
	for lease_unsettled_file in settled active ending; do
		if [ -e "$STATE/leases/$1/$lease_unsettled_file" ]; then return 1; fi
	done
}

settle_due() {
	for settle_due_dir in "$STATE"/leases/*; do
		if lease_unsettled "${settle_due_dir##*/}"; then return 0; fi
	done
	return 1
}

# settle_ended: settle what has ended and can be settled at one look.
settle_ended() {
	settle_claimed=no
	for settle_ended_dir in "$STATE"/leases/*; do
		lease_unsettled "${settle_ended_dir##*/}" || continue
		if lease_settled "${settle_ended_dir##*/}"; then
			lease_mark_settled "${settle_ended_dir##*/}"
		fi
	done 2>/dev/null
}

# settle_wait: a process that is taking evidence now gets ten seconds for it, so that what we say next is the end of it.
settle_wait() {
	settle_wait_tries=100
	while [ "$settle_claimed" = yes ] && [ "$settle_wait_tries" -gt 0 ]; do
		settle_wait_tries=$((settle_wait_tries - 1))
		sleep 0.1
		settle_ended
	done
}

# all_settled: nothing is left for a watcher to do.
all_settled() {
	for all_settled_dir in "$STATE"/leases/*; do
		if [ -d "$all_settled_dir" ]; then [ -e "$all_settled_dir/settled" ] || return 1; fi
	done
}

# lease_verbose ID: of the lease that is loaded, `PID NAME` of each process that began in the window, was verbose, and
# lives: into LEASE_VERBOSE, and into the lease's file `verbose` where there is room.
lease_verbose() {
	LEASE_VERBOSE=
	boot_now
	[ "$BOOT" != "$L_boot" ] || LEASE_VERBOSE=$(lease_verbose_now "$1")
	printf '%s' "$LEASE_VERBOSE${LEASE_VERBOSE:+$NL}" | put "$STATE/leases/$1/verbose" || :
}

lease_verbose_now() {
	lease_verbose_pids=
	# without the list that was made at the end (a full disk) those that live now are looked at
	if [ -f "$STATE/leases/$1/candidates" ]; then cat "$STATE/leases/$1/candidates"; else lease_began; fi |
		while read -r lease_verbose_pid lease_verbose_name lease_verbose_start; do
			proc_is "$lease_verbose_pid" "$lease_verbose_start" || continue
			[ -n "$lease_verbose_pids" ] || lease_verbose_pids=" $(verbose_pids "$1" | tr '\n' ' ')"
			case $lease_verbose_pids in
			*" $lease_verbose_pid "*) printf '%s %s\n' "$lease_verbose_pid" "$lease_verbose_name" ;;
			esac
		done
}

# sweep_locked [all-why]: end what is expired, finish what is half done, forget what is old. With the lock held no client is
# arming, so a lease that is `arming` is an arm that died.
sweep_locked() {
	postconf_lock_clean
	for sweep_dir in "$STATE"/leases/*; do
		[ -d "$sweep_dir" ] || continue
		sweep_id=${sweep_dir##*/}
		if [ -e "$sweep_dir/ending" ]; then
			lease_end "$sweep_id" "$(cat "$sweep_dir/why" 2>/dev/null || printf request)"
		elif [ -e "$sweep_dir/active" ] && [ ! -e "$sweep_dir/armed" ]; then
			lease_end "$sweep_id" arm-failed
		elif [ -e "$sweep_dir/active" ]; then
			lease_load "$sweep_id"
			if lease_over; then
				lease_end "$sweep_id" "$OVER"
			elif [ -n "${1-}" ]; then
				lease_end "$sweep_id" "$1"
			fi
		elif [ ! -e "$sweep_dir/spec" ] || [ ! -e "$sweep_dir/armed" ]; then
			# an arm that died before anything was active
			[ -e "$sweep_dir/result" ] || rm -rf -- "$sweep_dir"
		fi
	done
	# An arm that died between its baseline and its lease, an end that died before its guard was gone.
	if none_left; then
		if [ ! -d "$STATE/baseline" ] || config_apply; then
			baseline_drop
			guard_drop
		fi
	fi
	sweep_old
}

any_expired() {
	leases_active
	for any_expired_id in $ACTIVE; do
		lease_load "$any_expired_id"
		if lease_over; then return 0; fi
	done
	return 1
}

# any_ending [BUT]: is a lease on its way out, other than BUT?
any_ending() {
	for any_ending_file in "$STATE"/leases/*/ending; do
		if [ -e "$any_ending_file" ]; then [ "$any_ending_file" = "$STATE/leases/${1-}/ending" ] || return 0; fi
	done
	return 1
}

# none_left: no lease is active, and none is on its way out.
none_left() { if any_active || any_ending; then return 1; fi; }

# Evidence that no client fetched goes after keep_days, or before when all of it is too much; history is kept to its
# last 2,000 lines.
sweep_old() {
	set -- "$STATE"/leases/*
	if [ -e "$1" ]; then sweep_old_leases; fi
	for sweep_old_dir in "$STATE"/tmp.*; do
		if [ -d "$sweep_old_dir" ] && [ ! -d "/proc/${sweep_old_dir##*.}" ]; then rm -rf -- "$sweep_old_dir"; fi
	done
	if [ -f "$STATE/history.log" ] && [ "$(wc -c <"$STATE/history.log")" -gt 1000000 ]; then
		tail -n 2000 "$STATE/history.log" | put "$STATE/history.log" || :
	fi
	if [ -f "$STATE/usage" ] && [ "$(wc -c <"$STATE/usage")" -gt 200000 ]; then
		usage_recent | put "$STATE/usage" || :
	fi
}

sweep_old_leases() {
	find "$STATE/leases" -mindepth 1 -maxdepth 1 -type d -mtime "+$P_keep_days" 2>/dev/null | while IFS= read -r sweep_old_dir; do
		[ -e "$sweep_old_dir/active" ] || [ -e "$sweep_old_dir/ending" ] || rm -rf -- "$sweep_old_dir"
	done
	# shellcheck disable=SC2012 # oldest first; names are lease ids
	ls -tr -- "$STATE/leases" | while IFS= read -r sweep_old_id; do
		sweep_old_size=$(du -sk -- "$STATE/leases" 2>/dev/null) || break
		[ "${sweep_old_size%%[!0-9]*}" -gt $((P_keep_megabytes * 1024)) ] || break
		[ -e "$STATE/leases/$sweep_old_id/active" ] || [ -e "$STATE/leases/$sweep_old_id/ending" ] || rm -rf -- "$STATE/leases/$sweep_old_id"
	done
}

# look_clean: say what of ours is left. Returns 0 when nothing is.
look_clean() {
	look_clean_result=0
	if state_exists; then
		for look_clean_id in $(leases_all); do look_clean_lease "$look_clean_id"; done
		if [ -d "$STATE/baseline" ]; then any_active || look_dirty "the baseline of $CONF has not been restored"; fi
	elif [ -d "$STATE/leases" ] || [ -L "$STATE" ]; then
		look_dirty "the state folder $STATE is not root's alone, and nothing in it was believed; see: ls -ld $STATE_ROOT $STATE"
	fi
	any_active || look_clean_files
	return "$look_clean_result"
}

look_clean_lease() {
	if lease_active "$1"; then
		look_dirty "lease $1 is active"
		return
	elif [ -e "$STATE/leases/$1/ending" ]; then
		look_dirty "lease $1 could not be reverted yet"
		return
	fi
	lease_load "$1"
	[ "$L_reload" != failed ] || look_dirty "postfix reload failed after lease $1; idle processes may keep the debug settings"
	[ "$L_drained" != yes ] && [ -e "$STATE/leases/$1/armed" ] || return 0
	lease_verbose "$1"
	# shellcheck disable=SC2086 # pairs of words
	set -- $LEASE_VERBOSE
	while [ "$#" -gt 1 ]; do
		look_dirty "process $1 ($2) is still verbose"
		shift 2
	done
}

# look_clean_files: no lease is active: are our passing files and the guard gone?
look_clean_files() {
	# made before there is a state folder, so nothing else may ever look for them; a living process misses nothing
	drop "$TRY".* 2>/dev/null || :
	for look_clean_file in "$ORIG" "$NEW" "$TRY".*; do
		if [ -e "$look_clean_file" ]; then look_dirty "file $look_clean_file is left"; fi
	done
	for look_clean_file in $(guard_left); do
		look_dirty "guard $look_clean_file is left"
	done
	watchers_alive
	for look_clean_pid in $WATCHERS; do
		look_dirty "the guard's process $look_clean_pid is still at work"
	done
}

look_dirty() {
	say dirty "$1"
	look_clean_result=1
}

say_clean() { if look_clean; then say clean yes; else say clean no; fi; }
