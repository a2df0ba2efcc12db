# shellcheck shell=sh
# The guard: what ends a lease on this host when the client does not come back.
#
#   systemd  a watcher service whose ExecStopPost is the revert; a persistent calendar timer as second line; a boot
#            unit that runs before sysinit.target, so before Postfix whatever its unit is called.
#   cron     a watcher process, a line that starts another one every minute, and one at boot.
#   at       a watcher process, and a spooled job for the deadline that survives a reboot.
#   process  a watcher process and nothing else.

UNIT_DIR=/etc/systemd/system
# Where the programs of a guard say why they fail.
GUARD_ERRORS=/dev/null
RUN_DIR=/run/systemd/system
CRON_DIR=/etc/cron.d

# guard_levels: what this host can have, the best first, into GUARDS.
guard_levels() {
	GUARDS=
	if guard_systemd_usable; then GUARDS="systemd "; fi
	if guard_cron_usable; then GUARDS="${GUARDS}cron "; fi
	if guard_at_usable; then GUARDS="${GUARDS}at "; fi
	GUARDS=${GUARDS}process
}

guard_systemd_usable() { [ -d "$RUN_DIR" ] && have systemctl; }

# A cron that reads /etc/cron.d and runs (busybox crond, a link, does not read it).
guard_cron_usable() {
	if [ -L "$(command -v crond)" ]; then return 1; fi
	[ -d "$CRON_DIR" ] && have crontab && proc_running cron crond
}

guard_at_usable() { have at && have atq && proc_running atd; }

guard_names() {
	WATCH_UNIT=pfremote-$KEY.service
	TIMER_UNIT=pfremote-$KEY-revert.timer
	REVERT_UNIT=pfremote-$KEY-revert.service
	BOOT_UNIT=pfremote-$KEY-boot.service
	AGENT=$STATE/agent
	CRON_FILE=$CRON_DIR/pfremote-$KEY
	case $KEY in
	*.*) CRON_FILE=$CRON_DIR/pfremote-$(printf '%s' "$KEY" | tr . _) ;; # cron(8) reads no file with a dot in its name
	esac
}

# guard_arm: make or renew the guard for the active leases, then look that it is there. Sets GUARD.
guard_arm() {
	GUARD=$1
	guard_names
	case $GUARD in
	systemd) guard_arm_systemd ;;
	cron) guard_arm_cron && guard_start_watcher ;;
	at) guard_arm_at && guard_start_watcher ;;
	process) guard_start_watcher ;;
	*) return 1 ;;
	esac || return 1
	put "$STATE/guard" "$GUARD" || return 1
	guard_seen
}

# guard_arm_chosen: arm A_guard; with guard=auto and no lease beside ours, where it fails, the next one that this host has and
# allows. main.cf is not touched yet. What a guard that failed left is removed first, so that only one guards. Sets A_guard,
# and GUARD_SAID to the words of the last one that failed.
guard_arm_chosen() {
	GUARD_SAID=
	tmp_make && GUARD_ERRORS=$TMP/guard
	while :; do
		[ "$GUARD_ERRORS" = /dev/null ] || : >"$GUARD_ERRORS"
		if guard_arm "$A_guard"; then break; fi
		guard_read_errors
		guard_next || return 1
		warn guard-fallback "the guard $A_guard could not be armed${GUARD_SAID:+ ($GUARD_SAID)}, so $GUARD_NEXT is the guard"
		guard_stop
		A_guard=$GUARD_NEXT
		spec_set "$A_lease" guard "$A_guard" || return 1
	done
	GUARD_ERRORS=/dev/null
}

# guard_read_errors: what the guard's programs said last, into GUARD_SAID.
guard_read_errors() {
	GUARD_SAID=
	[ ! -s "$GUARD_ERRORS" ] || GUARD_SAID=$(tail -n 1 "$GUARD_ERRORS" | cut -c 1-200)
}

# guard_next: the guard to take where A_guard could not be armed, into GUARD_NEXT.
guard_next() {
	[ "$A_guard_auto" = yes ] || return 1
	leases_active
	[ "$ACTIVE" = "$A_lease " ] || return 1 # the guard of another lease stays as it is
	guard_next_all=${GUARDS#*"$A_guard"}
	guard_next_all=${guard_next_all# }
	GUARD_NEXT=${guard_next_all%% *}
	case $GUARD_NEXT in
	'') return 1 ;;
	process) [ "$A_volatile" = yes ] && [ "$P_volatile_guard" = yes ] ;;
	esac
}

# The agent's own text, for the guard to run when we are gone.
agent_save() {
	if [ -n "${PFREMOTE_SELF-}" ]; then
		put "$STATE/agent" "$PFREMOTE_SELF${NL}main \"\$@\"; exit"
	elif [ "$0" != "$STATE/agent" ] && [ -f "$0" ]; then
		put "$STATE/agent" <"$0"
	fi
	[ -s "$STATE/agent" ]
}

guard_arm_systemd() {
	guard_run="/bin/sh $AGENT"
	guard_arm_changed=no
	for guard_arm_file in "$RUN_DIR/$WATCH_UNIT" "$UNIT_DIR/$REVERT_UNIT" "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$BOOT_UNIT"; do
		if [ -e "$guard_arm_file" ]; then guard_arm_changed=yes; fi
	done
	for guard_arm_file in "$UNIT_DIR/timers.target.wants" "$UNIT_DIR/sysinit.target.wants"; do
		if [ ! -d "$guard_arm_file" ]; then (umask 022 && mkdir -p -- "$guard_arm_file") || return 1; fi
	done
	# The watcher first: it undoes an arm that is killed. Its unit is gone after a reboot. Then the boot unit: from then on a
	# reboot removes the rest.
	guard_unit_watch || return 1
	[ "$guard_arm_changed" = yes ] || run systemctl --quiet --no-block start "$WATCH_UNIT" 2>>"$GUARD_ERRORS" || return 1
	guard_unit_boot && guard_unit_timer || return 1
	settle_disk "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$REVERT_UNIT" "$UNIT_DIR/$BOOT_UNIT" \
		"$UNIT_DIR" "$UNIT_DIR/timers.target.wants" "$UNIT_DIR/sysinit.target.wants"
	# systemd reads a new unit when it is first named; only changed ones need daemon-reload, which costs as much as
	# half of all else in arm. Should it know old ones under these names all the same, guard_seen_systemd finds out.
	if [ "$guard_arm_changed" = no ] && run systemctl --quiet start "$TIMER_UNIT" "$WATCH_UNIT" 2>>"$GUARD_ERRORS"; then
		return 0
	fi
	guard_reload_systemd
}

guard_unit_boot() {
	guard_unit "$UNIT_DIR/$BOOT_UNIT" "[Unit]
Description=pfremote: ends Postfix debugging of $CONF before Postfix starts
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target postfix.service shutdown.target
Conflicts=shutdown.target
CollectMode=inactive-or-failed

[Service]
Type=oneshot
ExecStart=$guard_run sweep instance=$CONF
TimeoutStartSec=60
SuccessExitStatus=4
IgnoreSIGPIPE=no

[Install]
WantedBy=sysinit.target" && ln -sf "$UNIT_DIR/$BOOT_UNIT" "$UNIT_DIR/sysinit.target.wants/$BOOT_UNIT"
}

# Delegate= lets systemd run ExecStopPost in a control group of its own: after `systemctl kill -s KILL` the kernel killed what
# systemd 257 started in the group that was killed, the revert (seen on Debian 13).
guard_unit_watch() {
	guard_unit "$RUN_DIR/$WATCH_UNIT" "[Unit]
Description=pfremote: ends Postfix debugging of $CONF at its deadline
CollectMode=inactive-or-failed

[Service]
ExecStart=$guard_run watch instance=$CONF
ExecStopPost=$guard_run sweep instance=$CONF guard=lost
SuccessExitStatus=SIGKILL SIGTERM SIGABRT 4
Delegate=yes
TimeoutStopSec=180
OOMScoreAdjust=-900
IgnoreSIGPIPE=no"
}

# guard_unit_timer: the second line: a timer, and the service that it starts.
guard_unit_timer() {
	guard_unit "$UNIT_DIR/$REVERT_UNIT" "[Unit]
Description=pfremote: ends Postfix debugging of $CONF (second line)
CollectMode=inactive-or-failed

[Service]
Type=oneshot
ExecStart=$guard_run sweep instance=$CONF
SuccessExitStatus=4
IgnoreSIGPIPE=no" || return 1
	guard_unit "$UNIT_DIR/$TIMER_UNIT" "[Unit]
Description=pfremote: ends Postfix debugging of $CONF (second line)

[Timer]
$(guard_calendar)
Persistent=true
AccuracySec=100ms
Unit=$REVERT_UNIT

[Install]
WantedBy=timers.target" && ln -sf "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/timers.target.wants/$TIMER_UNIT"
}

guard_reload_systemd() {
	run systemctl --quiet daemon-reload 2>>"$GUARD_ERRORS" || return 1
	run systemctl --quiet restart "$TIMER_UNIT" 2>>"$GUARD_ERRORS" || return 1
	run systemctl --quiet start "$WATCH_UNIT" 2>>"$GUARD_ERRORS"
}

# guard_seen_systemd: timer and watcher are active, and all four units are loaded as they are on disk.
guard_seen_systemd() {
	guard_seen_text=$(run_last systemctl show -p LoadState -p ActiveState -p NeedDaemonReload \
		"$WATCH_UNIT" "$TIMER_UNIT" "$REVERT_UNIT" "$BOOT_UNIT" 2>/dev/null)
	guard_seen_loaded=0 guard_seen_active=0
	for guard_seen_line in $guard_seen_text; do
		case $guard_seen_line in
		LoadState=loaded | NeedDaemonReload=no) guard_seen_loaded=$((guard_seen_loaded + 1)) ;;
		ActiveState=active) guard_seen_active=$((guard_seen_active + 1)) ;;
		esac
	done
	[ "$guard_seen_loaded" -eq 8 ] || return 2
	[ "$guard_seen_active" -eq 2 ] && [ -L "$UNIT_DIR/sysinit.target.wants/$BOOT_UNIT" ]
}

guard_unit() {
	guard_unit_result=1
	{
		umask 022
		printf '%s\n' "$2" >"$1"
		guard_unit_result=$?
		umask 077
	} 2>>"$GUARD_ERRORS"
	return "$guard_unit_result"
}

# One line per lease, a second behind its deadline: the watcher should be first.
guard_calendar() {
	leases_active
	for guard_calendar_id in $ACTIVE; do
		lease_load "$guard_calendar_id"
		printf 'OnCalendar=%s UTC\n' "$(date -u -d "@$((L_deadline + 1))" '+%Y-%m-%d %H:%M:%S')"
	done
}

guard_arm_cron() {
	guard_cron_run="root /bin/sh $AGENT"
	(
		umask 022
		printf '%s\n' "# pfremote: ends Postfix debugging of $CONF; removed when that is done" \
			"* * * * * $guard_cron_run watch instance=$CONF for=65 >/dev/null 2>&1" \
			"@reboot $guard_cron_run sweep instance=$CONF >/dev/null 2>&1" >"$CRON_FILE"
	) 2>>"$GUARD_ERRORS" || return 1
	settle_disk "$CRON_FILE" "$CRON_DIR"
}

guard_arm_at() {
	guard_at_drop
	guard_at_last=0
	leases_active
	for guard_at_id in $ACTIVE; do
		lease_load "$guard_at_id"
		[ "$L_deadline" -le "$guard_at_last" ] || guard_at_last=$L_deadline
		# at knows minutes: one job starts in the deadline's minute, and its watcher knows the second. Where that minute
		# is this one the job runs at once, and a reboot would find nothing spooled: so one more for the minute after.
		for guard_at_when in "$L_deadline" $((L_deadline + 60)); do
			guard_at_when=$(date -d "@$guard_at_when" '+%Y%m%d%H%M') || return 1
			printf '/bin/sh %s watch instance=%s for=125 >/dev/null 2>&1\n' "$AGENT" "$CONF" |
				at -t "$guard_at_when" 2>&1 8>&- 9>&- | sed -n 's/^job \([0-9][0-9]*\) .*/\1/p' >>"$STATE/at"
		done
	done
	[ -s "$STATE/at" ]
}

guard_at_drop() {
	[ -f "$STATE/at" ] || return 0
	while read -r guard_at_job; do
		run atrm "$guard_at_job" 2>/dev/null || :
	done <"$STATE/at"
	rm -f -- "$STATE/at"
}

guard_start_watcher() {
	if watcher_alive; then return 0; fi
	rm -f -- "$STATE/watch.pid"
	# A session of its own: it outlives the ssh session, and a kill of that one's process group. SIGPIPE as it was: see journal_begins.
	(
		trap - PIPE
		! have setsid || exec setsid /bin/sh "$AGENT" watch "instance=$CONF"
		exec nohup /bin/sh "$AGENT" watch "instance=$CONF"
	) </dev/null >/dev/null 2>&1 8>&- 9>&- &
}

# watcher_alive: is the first watcher there, the one that counts and settles? Sets watcher_pid.
watcher_alive() { signed "$STATE/watch.pid" && watcher_pid=$SIGNER; }

# watchers_alive: the numbers of all watchers but ourselves, into WATCHERS.
watchers_alive() {
	WATCHERS=
	for watchers_file in "$STATE"/watcher.*; do
		if signed "$watchers_file" && [ "$SIGNER" != "$$" ]; then WATCHERS="${WATCHERS}$SIGNER "; fi
	done
}

# guard_seen: read back that the guard is armed; up to five seconds for the watcher to report.
guard_seen() {
	guard_seen_tries=250
	until watcher_alive; do
		[ "$guard_seen_tries" -gt 0 ] || return 1
		guard_seen_tries=$((guard_seen_tries - 1))
		sleep 0.02
	done
	case $GUARD in
	systemd)
		guard_seen_systemd
		case $? in
		0) ;;
		2) guard_reload_systemd && guard_seen_systemd ;;
		*) return 1 ;;
		esac
		;;
	cron) [ -s "$CRON_FILE" ] && proc_running cron crond ;;
	at) [ -s "$STATE/at" ] && proc_running atd && run atq | grep -q "^$(tail -n 1 "$STATE/at")[^0-9]" ;;
	esac
}

# guard_drop: the last lease is over. Everything that was spooled or enabled goes; the watcher itself goes when it
# has settled what it has to (guard_stop).
guard_drop() {
	guard_names
	guard_at_drop
	drop "$CRON_FILE"
	guard_drop_boot=$UNIT_DIR/sysinit.target.wants/$BOOT_UNIT
	guard_drop_units=no
	for guard_drop_file in "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$BOOT_UNIT" "$UNIT_DIR/$REVERT_UNIT" "$guard_drop_boot"; do
		if [ -e "$guard_drop_file" ] || [ -L "$guard_drop_file" ]; then guard_drop_units=yes; fi
	done
	[ "$guard_drop_units" = yes ] || return 0
	if guard_systemd_usable; then run systemctl --quiet --no-block stop "$TIMER_UNIT" 2>/dev/null || :; fi
	rm -f -- "$UNIT_DIR/timers.target.wants/$TIMER_UNIT" "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$REVERT_UNIT"
	# in one call: a power cut in between would leave a unit that is never started
	rm -f -- "$UNIT_DIR/$BOOT_UNIT" "$guard_drop_boot"
	guard_reload=yes
}

# guard_stop: end the watcher, unless we are it, and forget its unit. Called with the lock held and no lease left.
guard_stop() {
	guard_drop
	# An ExecStopPost would wait for our lock, a watcher would sweep: tell them that all is done.
	proc_me
	printf '%s\n' "$ME" >"$STATE/disarming" 2>/dev/null || :
	if [ "$IN_GUARD" = no ] && [ -e "$RUN_DIR/$WATCH_UNIT" ] && watcher_alive; then
		run systemctl --quiet stop "$WATCH_UNIT" 2>/dev/null || :
	fi
	guard_stop_watchers
	rm -f -- "$STATE/disarming" "$STATE/watch.pid"
	guard_stop_in=no
	if guard_in_watch_unit; then guard_stop_in=yes; fi
	first_line "$STATE/guard" || LINE=
	# systemd is to forget the other units too: the process that removed their files may have been ended, or left it to us
	if [ "$LINE" = systemd ] || [ -e "$RUN_DIR/$WATCH_UNIT" ]; then guard_reload=yes; fi
	[ "$guard_stop_in" = yes ] || rm -f -- "$RUN_DIR/$WATCH_UNIT"
	if [ "${guard_reload-no}" = yes ] && guard_systemd_usable; then guard_forget_systemd; fi
	rm -f -- "$STATE/guard"
	# What systemd knows of our own unit must hold until we are gone: without it a killed process would be a failed unit, and
	# remembered. So its file goes when systemd has read all others anew; with CollectMode= the unit is forgotten when we end.
	[ "$guard_stop_in" = no ] || rm -f -- "$RUN_DIR/$WATCH_UNIT"
}

# guard_stop_watchers: cron and at start more than one; all go, but for ourselves.
guard_stop_watchers() {
	watchers_alive
	# shellcheck disable=SC2086 # numbers
	[ -z "$WATCHERS" ] || kill $WATCHERS 2>/dev/null || :
	guard_stop_tries=50
	while [ -n "$WATCHERS" ] && [ "$guard_stop_tries" -gt 0 ]; do
		guard_stop_tries=$((guard_stop_tries - 1))
		sleep 0.1
		watchers_alive
	done
	for guard_stop_file in "$STATE"/watcher.*; do
		signed "$guard_stop_file" || rm -f -- "$guard_stop_file"
	done
}

# guard_in_watch_unit: are we a process of the watcher's unit (cgroups(7))?
guard_in_watch_unit() {
	while IFS= read -r guard_in_line; do
		case $guard_in_line in
		*/"$WATCH_UNIT" | */"$WATCH_UNIT"/*) return 0 ;;
		esac
	done </proc/self/cgroup
	return 1
}

# guard_forget_systemd: the unit files are gone; systemd is to know that.
guard_forget_systemd() {
	run systemctl --quiet daemon-reload 2>/dev/null || :
	run systemctl --quiet reset-failed "$WATCH_UNIT" "$REVERT_UNIT" "$TIMER_UNIT" 2>/dev/null || :
	# asked to stop while it executes itself anew, systemd forgets it (seen)
	if run systemctl --quiet is-active "$TIMER_UNIT" 2>/dev/null; then
		run systemctl --quiet stop "$TIMER_UNIT" 2>/dev/null || :
	fi
	guard_reload=no
}

# disarming: a living process that holds the lock is stopping us because all is done.
disarming() { signed "$STATE/disarming"; }

# guard_left: what of the guard is still there, one word a line.
guard_left() {
	guard_names
	for guard_left_file in "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$REVERT_UNIT" "$UNIT_DIR/$BOOT_UNIT" "$RUN_DIR/$WATCH_UNIT" \
		"$UNIT_DIR/timers.target.wants/$TIMER_UNIT" "$UNIT_DIR/sysinit.target.wants/$BOOT_UNIT" "$CRON_FILE" "$STATE/at"; do
		if [ -e "$guard_left_file" ] || [ -L "$guard_left_file" ]; then printf '%s\n' "$guard_left_file"; fi
	done
}
