# shellcheck shell=sh
# tail: what the log of a window says that is new, for a client that follows it. It changes nothing, takes no lock, and
# gives only lines that collect would give as well: those of processes that were verbose in the window.
#
# A position is `AT,PROCESS,PROCESS….MAC`: how far the log has been read (bytes since the lease's mark, or a journal
# cursor), and the processes that are being followed. The MAC is made with a key that only root can read, so that a
# position is one that we gave: no client can name another process, or a place before the window.

TAIL_READ=16000000 # bytes of the log that one reply is made of
TAIL_SEND=2000000  # bytes of lines in one reply, where the rest can be asked for from where it stopped
TAIL_LONGEST=8192  # bytes of a position

verb_tail() {
	need_lease
	have sha256sum || die tail "this host has no sha256sum, which following needs" "Debug without --follow."
	tmp_make || die tmp "no temporary folder can be made (disk full?)"
	tail_dir=$STATE/leases/$A_lease
	tail_mark=$(cat "$tail_dir/mark" 2>/dev/null) || die mark "the lease has no log mark"
	tail_key=$(cat "$tail_dir/key" 2>/dev/null)
	[ -n "$tail_key" ] || die tail "the lease has no key for positions"
	tail_open
	finish_refused
	tail_more=no
	lease_load "$A_lease"
	position_read "$tail_mark"
	case $AT_KIND in
	file) tail_file ;;
	journal) tail_journal ;;
	*) die tail "there is no log to follow" ;;
	esac
	say_lease "$A_lease"
	say time "$(now)"
	say utc_offset "$(date +%z)"
	say more "$tail_more"
	say position "$(tail_position)"
	evidence_pack <"$TMP/lines" >"$TMP/lines.packed"
	payload lines "$(evidence_encoding "$TMP/lines.packed")" "$TMP/lines.packed"
}

# tail_mac TEXT: keyed on both sides, so that nothing can be added to TEXT.
tail_mac() {
	tail_mac_text=$(printf '%s,%s,%s,%s' "$tail_key" "$A_lease" "$1" "$tail_key" | sha256sum)
	printf '%.32s' "$tail_mac_text"
}

# tail_open: the position that was asked for into tail_at and, one a line, $TMP/known.
tail_open() {
	true >"$TMP/known"
	tail_at=
	[ -n "$A_position" ] || return 0
	tail_body=${A_position%.*}
	case $A_position in
	*[!A-Za-z0-9/_.,:\;=+@-]*) tail_body= ;;
	esac
	if [ "${#A_position}" -gt "$TAIL_LONGEST" ] || [ -z "$tail_body" ] || [ "$(tail_mac "$tail_body")" != "${A_position##*.}" ]; then
		refuse bad-position "the position is not one that this lease's tail gave" "Leave it out to begin at the window's start."
		return
	fi
	tail_at=${tail_body%%,*}
	case $tail_body in
	*,*) printf '%s\n' "${tail_body#*,}" | tr , '\n' | sed 's/:\([0-9]*\)$/[\1]:/' >"$TMP/known" ;;
	esac
}

# tail_position: the position behind what is sent. A process that is gone and said nothing more is left out.
tail_position() {
	tail_now=$tail_next
	sort -u "$TMP/known" "$TMP/wanted" >"$TMP/following"
	while IFS= read -r tail_process; do
		tail_pid=${tail_process##*\[}
		[ -d "/proc/${tail_pid%\]:}" ] || grep -qxF -e "$tail_process" "$TMP/heard" || continue
		case $tail_process in
		*[!A-Za-z0-9/_.+@:\[\]-]*) continue ;; # cannot stand in a position
		esac
		tail_process=${tail_process%%\[*}:${tail_pid%\]:}
		[ "$((${#tail_now} + ${#tail_process}))" -lt $((TAIL_LONGEST - 64)) ] || break
		tail_now=$tail_now,$tail_process
	done <"$TMP/following"
	printf '%s.%s' "$tail_now" "$(tail_mac "$tail_now")"
}

tail_file() {
	tail_at=${tail_at:-0}
	if log_unrotated; then
		run tail -c "+$((AT_SIZE + tail_at + 1))" -- "$AT_PATH"
	else
		log_since "$tail_mark" | tail -c "+$((tail_at + 1))"
	fi 2>/dev/null | head -c "$TAIL_READ" >"$TMP/chunk"
	tail_filter "$TAIL_SEND"
	read -r tail_used <"$TMP/used"
	tail_next=$((tail_at + $(head -n "$tail_used" "$TMP/chunk" | wc -c)))
	# half a line may stand at the end; more of it is not more to fetch now
	if [ "$tail_used" -lt "$(($(wc -l <"$TMP/chunk")))" ] || [ "$(($(wc -c <"$TMP/chunk")))" -ge "$TAIL_READ" ]; then
		tail_more=yes
	fi
	[ "$tail_at" -eq 0 ] || tail_catch_up bytes
}

tail_journal() {
	instance_load || :
	tail_from=${tail_at:-$AT_CURSOR}
	journal_read_mail "$tail_from" --show-cursor | head -c "$TAIL_READ" >"$TMP/chunk"
	tail_next=$(journal_cursor <"$TMP/chunk")
	if [ -n "$tail_next" ]; then
		sed '$d' "$TMP/chunk" >"$TMP/chunk.new" && mv -f -- "$TMP/chunk.new" "$TMP/chunk"
	elif [ -s "$TMP/chunk" ]; then
		# more than we read at once: go on at the end, the evidence has it all
		LOG=journal
		position_read "$(log_position)"
		tail_next=$AT_CURSOR
		say gap yes
	else
		tail_next=$tail_from
	fi
	# a cursor stands behind all of the chunk, so all of it must be sent
	tail_filter "$TAIL_READ"
	[ -z "$tail_at" ] || tail_catch_up cursor
}

# tail_begin: what the window's log says before the chunk. Of a journal more than that: all of the processes in $TMP/new,
# up to now.
tail_begin() {
	position_read "$tail_mark"
	if [ "$AT_KIND" = file ]; then
		log_since "$tail_mark" 2>/dev/null | head -c "$tail_at"
	else
		tail_begin_pids=$(sed 's/.*\[\([0-9]*\)\]:$/\1/' "$TMP/new" | head -n 100)
		# journalctl shows journald's number of the process, or where that is missing the one of the line
		# shellcheck disable=SC2046,SC2086 # one word per process
		journal_read_matching "$AT_CURSOR" $(printf '_PID=%s ' $tail_begin_pids) + $(printf 'SYSLOG_PID=%s ' $tail_begin_pids)
	fi
}

# tail_filter ROOM: of the chunk the lines of processes that are followed already ($TMP/known) or are verbose here
# ($TMP/wanted; those that are new in $TMP/new), into $TMP/lines, until they have more than ROOM bytes; how many lines of
# the chunk were used into $TMP/used.
tail_filter() {
	true >"$TMP/lines"
	true >"$TMP/wanted"
	true >"$TMP/heard"
	awk -v whole="$(($(wc -l <"$TMP/chunk")))" -v room="$1" -v out="$TMP" -v verbose_text="^$VERBOSE_TEXT" \
		-v foreign="$L_foreign" "$AWK_PROCESS"'
		pass == 0 { known[$1] = 1; next }
		FNR > whole { next }
		{ key = process() }
		key == "" { next }
		pass == 1 {
			if ((key in known) || (key in wanted)) next
			text = substr($0, index($0, key) + length(key) + 1)
			if (text ~ verbose_text) wanted[key] = 1
			next
		}
		!(key in known) && !(key in wanted) { next }
		sent > room { used = FNR - 1; exit }
		{
			print > (out "/lines")
			sent += length($0) + 1
			heard[key] = 1
		}
		END {
			print (used ? used : whole) > (out "/used")
			for (key in wanted) print key > (out "/wanted")
			for (key in heard) print key > (out "/heard")
		}' pass=0 "$TMP/known" pass=1 "$TMP/chunk" pass=2 "$TMP/chunk"
	cp -- "$TMP/wanted" "$TMP/new"
}

# tail_catch_up bytes|cursor: a process that became verbose in this chunk may have begun its session before it: those
# lines come first. Of bytes only what stands before the chunk is read; of a journal more (tail_begin).
tail_catch_up() {
	[ -s "$TMP/new" ] || return 0
	tail_begin | grep -aF -f "$TMP/new" | awk '
		pass == 0 { new[$1] = 1; next }
		{
			key = ""
			for (i = 1; i <= NF && i < 8; i++) if ($i in new) { key = $i; break }
		}
		key == "" { next }
		pass == 1 { if (!(key in first)) first[key] = $0; next }
		# a journal is read from the mark to its end: what the chunk has is not to be sent twice
		(key in over) || counts == "cursor" && $0 == first[key] { over[key] = 1; next }
		{
			text = substr($0, index($0, key) + length(key) + 1)
			if (text ~ /^connect from / && began[key] || count[key] > 300) kept[key] = count[key] = began[key] = 0
			if (text ~ /^connect from /) began[key] = 1
			kept[key] = (count[key]++ ? kept[key] "\n" : "") $0
			if (text ~ /^disconnect from / || text ~ /^[0-9A-Za-z]+: to=</) count[key] = began[key] = 0
		}
		END { for (key in kept) if (count[key]) print kept[key] }' pass=0 "$TMP/new" pass=1 "$TMP/lines" pass=2 counts="$1" - >"$TMP/begin"
	if [ -s "$TMP/begin" ]; then
		cat -- "$TMP/begin" "$TMP/lines" >"$TMP/lines.new" && mv -f -- "$TMP/lines.new" "$TMP/lines"
	fi
}
