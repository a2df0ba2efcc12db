# shellcheck shell=sh
# The guard's process: it looks once a second, ends leases for the reasons they name, and settles what was ended.

verb_watch() {
	IN_GUARD=yes
	state_exists || leave 0
	tmp_make "$STATE" || tmp_make || :
	instance_load
	watch_until=0
	[ -z "$A_for" ] || watch_until=$(($(now) + A_for))
	proc_me
	put "$STATE/watcher.$$" "$ME" || :
	# "Exiting is the revert": asked to go without being told that all is done, end the leases first. systemd asks every
	# process of the unit, new ones too (systemd.kill(5)): from here on none of our children may heed it.
	watch_tick=0 watch_nap='' watch_settling='' watch_ended=no
	trap 'trap "" TERM INT; kill $watch_nap $watch_settling 2>/dev/null; disarming || watch_end_all; watch_leave' TERM INT
	while watch_once; do
		if [ "$watch_until" -ne 0 ] && [ "$(now)" -ge "$watch_until" ]; then
			if [ -n "$watch_settling" ]; then kill "$watch_settling" 2>/dev/null || :; fi
			watch_leave
		fi
		watch_tick=$((watch_tick + 1))
		[ "$watch_ended" = no ] || continue
		# a shell runs its traps when the command in the foreground has ended; wait ends at once
		# shellcheck disable=SC2217 # not for its input: it must not hold the script or a lock open
		sleep 1 </dev/null 8>&- 9>&- &
		watch_nap=$!
		wait "$watch_nap"
	done
	watch_done
}

# watch_done: nothing is left to do: remove the guard, unless another process is stopping us because all is done: that one
# holds the lock until we are gone.
watch_done() {
	trap '' TERM INT
	watch_tries=600
	until disarming || [ "$watch_tries" -eq 0 ]; do
		if lock 0; then
			any_active || guard_stop
			unlock
			break
		fi
		watch_tries=$((watch_tries - 1))
		sleep 0.1
	done
	watch_leave
}

watch_leave() {
	rm -f -- "$STATE/watcher.$$"
	leave 0
}

# watch_claim: cron and at start more watchers. All of them end leases; the first counts and settles, and the next one does
# when that one is gone.
watch_claim() {
	if watcher_alive; then
		[ "$watcher_pid" = "$$" ]
	else
		put "$STATE/watch.pid" "$ME"
	fi
}

# watch_settle: beside us, since taking the evidence out of a large log takes longer than another lease may wait.
watch_settle() {
	if [ -n "$watch_settling" ] && proc_start "$watch_settling"; then return 0; fi
	settle_due || return 0
	# shellcheck disable=SC2217 # see verb_watch
	(
		trap - EXIT TERM INT
		settle_ended
	) </dev/null 8>&- 9>&- &
	watch_settling=$!
}

watch_end_all() {
	lock 60 || return 1
	sweep_locked guard-lost
	unlock
}

# watch_once: one look. Returns 1 when nothing is left to do.
watch_once() {
	if all_settled; then return 1; fi # and do not claim: the process that ends the guard would find us at work
	watch_again=$watch_ended watch_ended=no
	if watch_claim; then watch_first=yes; else watch_first=no; fi
	for watch_dir in "$STATE"/leases/*; do
		[ -d "$watch_dir" ] || continue
		watch_id=${watch_dir##*/}
		if [ -e "$watch_dir/active" ]; then
			watch_lease "$watch_id"
		elif [ -e "$watch_dir/ending" ]; then
			# main.cf could not be written: keep trying, not too often
			# one that went with another's edit is next; where that failed it is tried now and then
			[ "$watch_again$watch_ended" = nono ] && [ $((watch_tick % 5)) -ne 0 ] ||
				watch_close "$watch_id" "$(cat "$watch_dir/why" 2>/dev/null || printf request)"
		fi
	done
	[ "$watch_first" = no ] || watch_settle
	return 0
}

watch_lease() {
	lease_load "$1"
	if lease_over; then
		watch_close "$1" "$OVER"
		return
	fi
	if [ ! -e "$STATE/leases/$1/armed" ]; then
		watch_arming "$1"
		return
	fi
	[ "$watch_first" = yes ] || return 0
	log_of_lease "$1"
	watch_scan "$1"
	if [ -n "$watch_unwell" ]; then
		watch_close "$1" unwell
	elif [ -n "$L_stop_after" ] && [ "$watch_done" -ge "$L_stop_after" ]; then
		watch_close "$1" stop-after
	elif [ -n "$L_max_log" ] && [ "$watch_bytes" -gt "$L_max_log" ]; then
		watch_close "$1" max-log
	elif [ -n "$L_min_free" ] && [ $((watch_tick % 3)) -eq 0 ] && watch_disk_low; then
		watch_close "$1" min-free
	fi
}

# watch_arming ID: an arm holds the lock from before its lease is active until it is armed. The process that gets the lock
# in between sees an arm that died, and undoes it now, not at the deadline.
watch_arming() {
	lock 0 || return 0
	if [ ! -e "$STATE/leases/$1/armed" ] && lease_active "$1"; then
		lease_end "$1" arm-failed && watch_ended=yes
	fi
	unlock
}

# What is ended is settled in the next look, and that one comes at once.
watch_close() {
	lease_close "$1" "$2" && watch_ended=yes
}

watch_disk_low() {
	log_free
	[ "$FREE_PERCENT" -ge "$L_min_free" ] || return 0
	disk_free "$STATE"
	[ "$FREE_PERCENT" -lt "$L_min_free" ]
}

# watch_scan ID: count what the log says since the last look. Sets watch_bytes, watch_done, watch_unwell.
watch_scan() {
	watch_bytes=$L_bytes watch_done=0 watch_unwell='' watch_dir=$STATE/leases/$1
	tmp_make "$STATE" || tmp_make || return 0
	[ -f "$watch_dir/counts" ] || true >"$watch_dir/counts"
	watch_chunk "$1" >"$TMP/chunk" || return 0
	if [ -s "$TMP/chunk" ]; then
		watch_bytes=$((L_bytes + $(wc -c <"$TMP/chunk")))
		lease_patterns "$1"
		watch_count "$watch_dir/counts" "$PATTERNS" "$TMP/chunk" | put "$watch_dir/counts" || return 0
		printf 'bytes=%s\nsessions=%s\n' "$watch_bytes" "$(sed -n 's/^begun //p' "$watch_dir/counts")" | put "$watch_dir/seen"
		first_line "$watch_dir/mark" && unwell_find "$LINE" "$TMP/chunk" && watch_unwell=$UNWELL
		health_notes "$TMP/chunk" "$PATTERNS" >"$TMP/notes"
		if [ -s "$TMP/notes" ]; then cp -- "$TMP/notes" "$watch_dir/notes"; fi
	fi
	watch_done=$(sed -n 's/^done //p' "$watch_dir/counts")
	watch_done=${watch_done:-0}
}

# watch_chunk ID: the new piece of the log, and the position behind it into the file `scan`.
watch_chunk() {
	watch_scanned=$STATE/leases/$1/scan
	first_line "$watch_scanned" || return 1
	position_read "$LINE"
	case $AT_KIND in
	journal)
		# one look in two seconds: journalctl costs more than stat
		[ $((watch_tick % 2)) -eq 0 ] || return 1
		journal_read_mail "$AT_CURSOR" --show-cursor | sed "/^-- cursor: /{
s/^-- cursor: /journal /
w $TMP/position
d
}"
		[ ! -s "$TMP/position" ] || mv -f -- "$TMP/position" "$watch_scanned"
		;;
	file)
		watch_position=$LINE
		watch_new=$(log_position)
		[ "$watch_new" != "$watch_position" ] || return 1
		position_read "$watch_new"
		watch_size=$AT_SIZE
		position_read "$watch_position"
		if log_unrotated; then
			run tail -c "+$((AT_SIZE + 1))" -- "$AT_PATH" | head -c $((watch_size - AT_SIZE))
		else
			log_since "$watch_position"
		fi
		printf '%s\n' "$watch_new" | put "$watch_scanned"
		;;
	*) return 1 ;;
	esac
}

# With what smtp or lmtp begins its next conversation: a destination, a greeting, or MAIL over a connection of the cache
# (smtp/smtp_connect.c, CONNECTION_CACHE_README). A 421 or 554 is a greeting only behind QUIT: else it answers a pipelined DATA.
NEXT_BEGINS='^(smtp_parse_destination: |connecting to |< [^ ]+: 220|> [^ ]+: MAIL FROM)'

# watch_count STATE PEERS CHUNK: prints the new state: sessions begun and done; connections, those of them whose client
# has no verified name, and addresses among PEERS that connected, with the name that they have here; recipients that
# smtp and lmtp were done with; and who is in a session.
watch_count() {
	awk -v verbose_text="^$VERBOSE_TEXT" -v next_begins="$NEXT_BEGINS" -v foreign="${L_foreign-}" "$AWK_PROCESS"'
		BEGIN {
			split("after quit reset owed", words)
			for (i in words) ends[words[i]]
			answered["reset"] = "after"
			answered["owed"] = "quit"
		}
		FILENAME == ARGV[1] {
			if ($1 == "heard") heard[$2] = $3
			else if ($1 ~ /\//) at[$1] = $2
			else n[$1] = $2
			next
		}
		FILENAME == ARGV[2] {
			gsub(/[][]/, "")
			peer[tolower($0)] = 1
			next
		}
		{
			key = process()
			if (key == "") next
			text = substr($0, index($0, key) + length(key) + 1)
			verbose = text ~ verbose_text
			server = key ~ /\/smtpd\[/
			if (server && text ~ /^connect from /) { connect(substr(text, 14)); at[key] = "quiet"; next }
			# a conversation goes on after a recipient is done with: QUIT, RSET, or DATA for the others; QUIT may go out
			# before the answer to RSET comes
			if (at[key] == "after" && text ~ /^> [^ ]+: RSET/) at[key] = "reset"
			if (at[key] in ends && text ~ /^> [^ ]+: QUIT/) at[key] = at[key] == "reset" ? "owed" : "quit"
			if (at[key] in answered && text ~ /^< [^ ]+: [0-9]+( |$)/) { at[key] = answered[at[key]]; next }
			if (verbose && at[key] == "quit" && text ~ /^< [^ ]+: (421|554)/) at[key] = ""
			if (verbose && at[key] in ends && text !~ next_begins) next
			if (verbose && at[key] != "verbose") { n["begun"]++; at[key] = "verbose"; next }
			if (server ? text ~ /^disconnect from / : text ~ /^[0-9A-Za-z]+: to=</) {
				if (!server) n["deliveries"]++
				if (at[key] == "verbose") n["done"]++
				at[key] = server ? "" : "after"
			}
		}
		# CLIENT: `name[address]`, or `name[address]:port` (smtpd_client_port_logging)
		function connect(client,   name, address) {
			n["connects"]++
			name = client
			sub(/\[.*/, "", name)
			if (name == "unknown") n["nameless"]++
			address = substr(client, length(name) + 2)
			sub(/\].*/, "", address)
			gsub(/[^A-Za-z0-9._-]/, "?", name) # the answer to status has it, and any local user can write a line
			if (tolower(address) in peer) heard[address] = name
		}
		END {
			count = split("begun done connects nameless deliveries", names)
			for (i = 1; i <= count; i++) print names[i], n[names[i]] + 0
			for (address in heard) print "heard", address, heard[address]
			for (key in at) if (at[key] != "") print key, at[key]
		}' "$1" "$2" "$3"
}
