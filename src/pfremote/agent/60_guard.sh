# shellcheck shell=sh
# The guard: what ends a lease on this host when nobody comes back.
#
#   systemd  a watcher service whose ExecStopPost is the revert; a persistent calendar timer as second line; a boot
#            unit that runs before sysinit.target, so before Postfix whatever its unit is called.
#   cron     a watcher process, a line that starts another one every minute, and one at boot.
#   at       a watcher process, and a spooled job for the deadline that survives a reboot.
#   process  a watcher process and nothing else.

UNIT_DIR=/etc/systemd/system
RUN_DIR=/run/systemd/system
CRON_DIR=/etc/cron.d

# guard_levels: what this host can have, the best first, into GUARDS.
guard_levels() {
	GUARDS=
	[ ! -d "$RUN_DIR" ] || ! have systemctl || GUARDS="systemd "
	! guard_cron_usable || GUARDS="${GUARDS}cron "
	! guard_at_usable || GUARDS="${GUARDS}at "
	GUARDS=${GUARDS}process
}

# A cron that reads /etc/cron.d and runs (busybox crond does not read it).
guard_cron_usable() {
	[ -d "$CRON_DIR" ] && have crontab && proc_running cron crond && ! [ -L "$(command -v crond)" ]
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

# The agent's own text, for the guard to run when we are gone.
agent_save() {
	if [ -n "${PFREMOTE_SELF-}" ]; then
		printf '%s\n%s\n' "$PFREMOTE_SELF" 'main "$@"; exit' | put "$STATE/agent"
	elif [ "$0" != "$STATE/agent" ] && [ -f "$0" ]; then
		put "$STATE/agent" <"$0"
	fi
	[ -s "$STATE/agent" ]
}

guard_arm_systemd() {
	guard_run="/bin/sh $AGENT"
	guard_arm_changed=no
	for guard_arm_file in "$RUN_DIR/$WATCH_UNIT" "$UNIT_DIR/$REVERT_UNIT" "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$BOOT_UNIT"; do
		[ ! -e "$guard_arm_file" ] || guard_arm_changed=yes
	done
	[ -d "$UNIT_DIR/timers.target.wants" ] && [ -d "$UNIT_DIR/sysinit.target.wants" ] ||
		(umask 022 && mkdir -p -- "$UNIT_DIR/timers.target.wants" "$UNIT_DIR/sysinit.target.wants") || return 1
	# the boot unit first: from then on a reboot removes the rest
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

[Install]
WantedBy=sysinit.target" || return 1
	ln -sf "$UNIT_DIR/$BOOT_UNIT" "$UNIT_DIR/sysinit.target.wants/$BOOT_UNIT" || return 1
	guard_unit "$RUN_DIR/$WATCH_UNIT" "[Unit]
Description=pfremote: ends Postfix debugging of $CONF at its deadline
CollectMode=inactive-or-failed

[Service]
ExecStart=$guard_run watch instance=$CONF
ExecStopPost=$guard_run sweep instance=$CONF guard=lost
SuccessExitStatus=SIGKILL SIGTERM SIGABRT 4
TimeoutStopSec=180
OOMScoreAdjust=-900" || return 1
	guard_unit "$UNIT_DIR/$REVERT_UNIT" "[Unit]
Description=pfremote: ends Postfix debugging of $CONF (second line)
CollectMode=inactive-or-failed

[Service]
Type=oneshot
ExecStart=$guard_run sweep instance=$CONF
SuccessExitStatus=4" || return 1
	guard_unit "$UNIT_DIR/$TIMER_UNIT" "[Unit]
Description=pfremote: ends Postfix debugging of $CONF (second line)

[Timer]
$(guard_calendar)
Persistent=true
AccuracySec=100ms
Unit=$REVERT_UNIT

[Install]
WantedBy=timers.target" || return 1
	ln -sf "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/timers.target.wants/$TIMER_UNIT" || return 1
	settle_disk "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$REVERT_UNIT" "$UNIT_DIR/$BOOT_UNIT" \
		"$UNIT_DIR" "$UNIT_DIR/timers.target.wants" "$UNIT_DIR/sysinit.target.wants"
	# systemd reads a new unit when it is first named; only changed ones need daemon-reload, which costs as much as
	# half of all else in arm. Should it know old ones under these names all the same, guard_seen_systemd finds out.
	if [ "$guard_arm_changed" = no ] && run systemctl --quiet start "$TIMER_UNIT" "$WATCH_UNIT" 2>/dev/null; then
		return 0
	fi
	guard_reload_systemd
}

guard_reload_systemd() {
	run systemctl --quiet daemon-reload 2>/dev/null || return 1
	run systemctl --quiet restart "$TIMER_UNIT" 2>/dev/null || return 1
	run systemctl --quiet start "$WATCH_UNIT" 2>/dev/null
}

# guard_seen_systemd: timer and watcher are active, and all four units are loaded as they are on disk.
guard_seen_systemd() {
	guard_seen_text=$(run systemctl show -p LoadState -p ActiveState -p NeedDaemonReload \
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
	(umask 022 && printf '%s\n' "$2" >"$1") 2>/dev/null
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
	) 2>/dev/null || return 1
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
	! watcher_alive || return 0
	rm -f -- "$STATE/watch.pid"
	# A session of its own: it outlives the ssh session and whoever kills that one's process group.
	if have setsid; then
		setsid /bin/sh "$AGENT" watch "instance=$CONF" </dev/null >/dev/null 2>&1 8>&- 9>&- &
	else
		nohup /bin/sh "$AGENT" watch "instance=$CONF" </dev/null >/dev/null 2>&1 8>&- 9>&- &
	fi
}

watcher_alive() { signed "$STATE/watch.pid" && watcher_pid=$SIGNER; }

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

# guard_alive: is what ends the lease still there? For status.
guard_alive() {
	guard_names
	GUARD=$(cat "$STATE/guard" 2>/dev/null) || return 1
	watcher_alive
}

# guard_drop: the last lease is over. Everything that was spooled or enabled goes; the watcher itself goes when it
# has settled what it has to (guard_stop).
guard_drop() {
	guard_names
	guard_at_drop
	drop "$CRON_FILE"
	guard_drop_boot=$UNIT_DIR/sysinit.target.wants/$BOOT_UNIT
	[ -e "$UNIT_DIR/$TIMER_UNIT" ] || [ -e "$UNIT_DIR/$BOOT_UNIT" ] || [ -e "$UNIT_DIR/$REVERT_UNIT" ] ||
		[ -L "$guard_drop_boot" ] || return 0
	! have systemctl || [ ! -d "$RUN_DIR" ] || run systemctl --quiet --no-block stop "$TIMER_UNIT" 2>/dev/null || :
	rm -f -- "$UNIT_DIR/timers.target.wants/$TIMER_UNIT" "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$REVERT_UNIT"
	# in one call: a power cut in between would leave a unit that nobody starts
	rm -f -- "$UNIT_DIR/$BOOT_UNIT" "$guard_drop_boot"
	guard_reload=yes
}

# guard_stop: end the watcher, unless we are it, and forget its unit. Called with the lock held and no lease left.
guard_stop() {
	guard_drop
	if [ "$IN_GUARD" = no ] && watcher_alive; then
		# Its ExecStopPost would wait for our lock: tell it that all is done.
		proc_me
		printf '%s\n' "$ME" >"$STATE/disarming"
		if [ -e "$RUN_DIR/$WATCH_UNIT" ]; then
			run systemctl --quiet stop "$WATCH_UNIT" 2>/dev/null || :
		else
			kill "$watcher_pid" 2>/dev/null || :
			guard_stop_tries=50
			while watcher_alive && [ "$guard_stop_tries" -gt 0 ]; do
				guard_stop_tries=$((guard_stop_tries - 1))
				sleep 0.1
			done
		fi
		rm -f -- "$STATE/disarming"
	fi
	rm -f -- "$STATE/watch.pid" "$STATE/guard"
	if [ -e "$RUN_DIR/$WATCH_UNIT" ]; then
		rm -f -- "$RUN_DIR/$WATCH_UNIT"
		guard_reload=yes
	fi
	if [ "${guard_reload-no}" = yes ] && have systemctl && [ -d "$RUN_DIR" ]; then
		run systemctl --quiet daemon-reload 2>/dev/null || :
		run systemctl --quiet reset-failed "$WATCH_UNIT" "$REVERT_UNIT" "$TIMER_UNIT" 2>/dev/null || :
		# asked to stop while it executes itself anew, systemd forgets it (seen)
		! run systemctl --quiet is-active "$TIMER_UNIT" 2>/dev/null ||
			run systemctl --quiet stop "$TIMER_UNIT" 2>/dev/null || :
		guard_reload=no
	fi
}

# disarming: somebody who is alive and holds the lock is stopping us because all is done.
disarming() { signed "$STATE/disarming"; }

# guard_left: what of the guard is still there, one word a line.
guard_left() {
	guard_names
	for guard_left_file in "$UNIT_DIR/$TIMER_UNIT" "$UNIT_DIR/$REVERT_UNIT" "$UNIT_DIR/$BOOT_UNIT" "$RUN_DIR/$WATCH_UNIT" \
		"$UNIT_DIR/timers.target.wants/$TIMER_UNIT" "$UNIT_DIR/sysinit.target.wants/$BOOT_UNIT" "$CRON_FILE" "$STATE/at"; do
		[ ! -e "$guard_left_file" ] && [ ! -L "$guard_left_file" ] || printf '%s\n' "$guard_left_file"
	done
}
