# shellcheck shell=sh
# Where Postfix logs, from which point on, and which lines of it are evidence.

# log_source: maillog_file, else the journal, else the syslog file. The journal comes before the file because
# journald drops lines on the way to syslogd when that socket's queue is full. Sets LOG and LOG_WHY.
log_source() {
	if [ -n "$A_log" ]; then
		LOG=$A_log LOG_WHY="the inventory says so (pfremote_log)"
		return 0
	fi
	if [ -n "$I_maillog" ]; then
		case $I_maillog in
		/dev/*)
			LOG=none LOG_WHY="maillog_file is $I_maillog: the log goes to the container's output"
			;;
		*) LOG=file:$I_maillog LOG_WHY="maillog_file is set" ;;
		esac
		return 0
	fi
	if [ -S /run/systemd/journal/socket ] && have journalctl; then
		LOG=journal LOG_WHY="journald runs, and loses nothing on the way to a file"
		return 0
	fi
	for log_source_path in /var/log/mail.log /var/log/maillog /var/log/mail /var/log/syslog /var/log/messages; do
		if [ -f "$log_source_path" ]; then
			LOG=file:$log_source_path LOG_WHY="the syslog file of this system"
			return 0
		fi
	done
	LOG=none LOG_WHY="no maillog_file, no journal, no syslog file"
}

# log_of_lease ID: LOG as it was when the lease took its mark.
log_of_lease() {
	first_line "$STATE/leases/$1/mark" || return 0
	log_of_mark=$LINE
	case $log_of_mark in
	journal*) LOG=journal ;;
	file\ *)
		position_read "$log_of_mark"
		LOG=file:$AT_PATH
		;;
	esac
}

# log_position: the end of the log now, as one line: `journal CURSOR` or `file INODE SIZE SUM PATH`. SUM is a checksum of
# what stands right before: an inode number is soon used again, and a file that was cut may have grown past SIZE.
log_position() {
	case $LOG in
	journal)
		log_position_text=$(run journalctl -q -n 1 --show-cursor -o cat 2>/dev/null)
		case $log_position_text in
		*'-- cursor: '*) printf 'journal %s\n' "${log_position_text##*-- cursor: }" ;;
		*) printf 'journal \n' ;;
		esac
		;;
	file:*)
		log_position_path=${LOG#file:}
		# shellcheck disable=SC2012 # ls -i and ls -n are the portable way to inode and size
		log_position_size=$(wc -c <"$log_position_path" 2>/dev/null) || log_position_size=0
		printf 'file %s %s %s %s\n' "$(inode_of "$log_position_path")" $((log_position_size)) \
			"$(log_sum "$log_position_path" $((log_position_size)))" "$log_position_path"
		;;
	*) printf 'none\n' ;;
	esac
}

inode_of() {
	# shellcheck disable=SC2012 # see above
	inode_of_text=$(ls -di -- "$1" 2>/dev/null) || return 1
	# shellcheck disable=SC2086 # split on purpose
	set -- $inode_of_text
	printf '%s' "$1"
}

# position_read POSITION: the parts of `file …` into AT_INODE, AT_SIZE, AT_SUM and AT_PATH.
position_read() {
	position_read_rest=${1#file }
	AT_INODE=${position_read_rest%% *}
	position_read_rest=${position_read_rest#* }
	AT_SIZE=${position_read_rest%% *}
	position_read_rest=${position_read_rest#* }
	AT_SUM=${position_read_rest%% *}
	AT_PATH=${position_read_rest#* }
}

# log_tail FILE BYTE: a log file, packed or not, from that byte on (the first is 1).
log_tail() {
	case $1 in
	*.gz | *.xz | *.zst | *.bz2) log_cat "$1" | tail -c "+$2" ;;
	*) run tail -c "+$2" -- "$1" ;;
	esac
}

# log_sum_of: a checksum of stdin, which is short. Not every busybox has cksum(1).
log_sum_of() { od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) { sum = (sum * 31 + $i) % 16777213; n++ } } END { print sum + 0, n + 0 }'; }

# log_sum FILE SIZE: a checksum of the 256 bytes that end at byte SIZE.
log_sum() {
	log_sum_from=$(($2 - 255))
	[ "$log_sum_from" -ge 1 ] || log_sum_from=1
	log_sum_text=$(log_tail "$1" "$log_sum_from" 2>/dev/null | head -c $(($2 - log_sum_from + 1)) | log_sum_of)
	printf '%s' "${log_sum_text%% *}"
}

# log_unrotated: is the file at AT_PATH still the one that the position was taken of, and not cut since?
log_unrotated() {
	[ "$(inode_of "$AT_PATH")" = "$AT_INODE" ] && [ "$(($(wc -c <"$AT_PATH")))" -ge "$AT_SIZE" ] &&
		[ "$(log_sum "$AT_PATH" "$AT_SIZE")" = "$AT_SUM" ]
}

# log_rotated: the files that follow the position since the log was rotated, in order. The first is what was the live file:
# it has another name now (rename), or another file has its bytes (copytruncate, compression). Nothing where it is gone.
log_rotated() {
	log_rotated_names='' log_rotated_tries=8
	# shellcheck disable=SC2045,SC2012 # names that logrotate makes; -t is the order we need
	for log_rotated_name in $(ls -t -- "$AT_PATH".[0-9]* "$AT_PATH"-[0-9]* 2>/dev/null); do
		case $log_rotated_name in
		*.gz | *.xz | *.zst | *.bz2) [ ! -e "${log_rotated_name%.*}" ] || continue ;; # being packed just now
		esac
		log_rotated_names="$log_rotated_name $log_rotated_names"
		if [ "$AT_SIZE" -eq 0 ]; then
			[ "$(inode_of "$log_rotated_name")" = "$AT_INODE" ]
		else
			[ "$(log_sum "$log_rotated_name" "$AT_SIZE")" = "$AT_SUM" ]
		fi && printf '%s' "$log_rotated_names" && return 0
		log_rotated_tries=$((log_rotated_tries - 1))
		[ "$log_rotated_tries" -gt 0 ] || return 1
	done
	return 1
}

# log_since POSITION: every line after it, through rotation by rename, copytruncate and compression.
log_since() {
	case $1 in
	journal*) log_journal "${1#journal }" ;;
	file*) log_file "$1" ;;
	spool) gzip -dc -- "$TMP/spool" ;;
	esac
}

# The journal by cursor, narrowed to the mail facility where Postfix uses it.
log_journal() {
	set -- "$1" -q --no-pager -a -o short-iso-precise
	[ "$I_facility" != mail ] || set -- "$@" SYSLOG_FACILITY=2
	log_journal_cursor=$1
	shift
	if [ -n "$log_journal_cursor" ]; then
		run journalctl --after-cursor="$log_journal_cursor" "$@" 2>/dev/null
	else
		run journalctl "$@" 2>/dev/null
	fi
}

# log_file POSITION
log_file() {
	position_read "$1"
	log_file_from=$((AT_SIZE + 1))
	if log_unrotated; then
		run tail -c "+$log_file_from" -- "$AT_PATH"
		return
	fi
	for log_file_name in $(log_rotated); do
		log_tail "$log_file_name" "$log_file_from"
		log_file_from=1
	done
	[ ! -f "$AT_PATH" ] || run cat -- "$AT_PATH"
}

log_cat() {
	case $1 in
	*.gz) run gzip -dc -- "$1" 2>/dev/null ;;
	*.xz) run xz -dc -- "$1" 2>/dev/null ;;
	*.zst) run zstd -dcq -- "$1" 2>/dev/null ;;
	*.bz2) run bzip2 -dc -- "$1" 2>/dev/null ;;
	*) run cat -- "$1" ;;
	esac
}

# log_was_lost POSITION: yes when the marked file is neither live nor found among the rotated ones, and when the journal
# does not have the marked entry any more (it was vacuumed).
log_was_lost() {
	case $1 in
	file\ *) position_read "$1" ;;
	journal\ ?*)
		# with SIGPIPE as it was, or journalctl would write on to its end for nobody
		log_was_entry=$(trap - PIPE; run journalctl -q --no-pager --cursor="${1#journal }" -o export 2>/dev/null | head -n 1)
		[ "$log_was_entry" != "__CURSOR=${1#journal }" ]
		return
		;;
	*) return 1 ;;
	esac
	[ -n "$AT_INODE" ] && ! log_unrotated && [ -z "$(log_rotated)" ]
}

# A short look at what the log says from here on (after a reload). Who has found what it looks for reads no further, and
# tail complains of that, since our children ignore SIGPIPE as we do.
log_mark_here() { HERE=$(log_position); }
log_after_here() { log_since "$HERE" 2>/dev/null; }

# A process is verbose for a peer when it logs the dialogue (smtpd_chat.c, smtp_chat.c) or the set-up that only
# verbose processes log (smtp_stream.c, smtp_connect.c).
VERBOSE_LINE='/(smtpd|smtp|lmtp|qmqpd)\[[0-9]+\]: ([<>] |smtp_stream_setup: |smtp_parse_destination: |connecting to )'
# log_unwell: of the lines on stdin the first that says that a daemon died of our parameters. Behind the first `]: ` of the
# line, since further on it may be what a client said.
log_unwell() {
	log_unwell_lines=$(grep -aE '\]: (fatal|panic): .*(debug_peer_(list|level)|_tls_loglevel)')
	[ -z "$log_unwell_lines" ] || printf '%s\n' "$log_unwell_lines" | awk '
		substr($0, index($0, "]: ") + 3) ~ /^(fatal|panic): / {
			print
			exit
		}'
}

LOSS_LINE='Suppressed [0-9]+ messages from|due to rate-limiting|begin.*to drop messages|messages lost'

# log_grep POSITION OPTION...: grep over every line after it. Where the file was not rotated grep reads the file
# itself, from its place on (dd moves the place and copies nothing): a pipe costs half as much as the search.
log_grep() {
	log_grep_position=$1
	shift
	case $log_grep_position in
	file\ *)
		position_read "$log_grep_position"
		if log_unrotated; then
			{
				dd bs=1 skip="$AT_SIZE" count=0 2>/dev/null
				grep "$@"
			} <"$AT_PATH" 8>&- 9>&-
			return
		fi
		;;
	esac
	log_since "$log_grep_position" | grep "$@"
}

# log_verbose POSITION: the lines that only a verbose process logs. Fixed strings first: they let few lines through to
# the regular expression, which costs three times as much.
log_verbose() {
	log_grep "$1" -aF -e ']: < ' -e ']: > ' -e ']: smtp_stream_setup: ' -e ']: smtp_parse_destination: ' \
		-e ']: connecting to ' | grep -aE "$VERBOSE_LINE"
}

# evidence_filter POSITION: of all lines since POSITION those whose process handled a verbose session, and those
# that share a queue id with them. grep does the reading, awk sees only what grep lets through. The log is read once
# for the processes, once for their lines, and once for each generation of queue ids (a message that is bounced
# or filtered goes on under another one): each time only for what is new, and the findings are merged by their place.
evidence_filter() {
	! evidence_spool "$1" || set -- spool
	log_verbose "$1" |
		awk '{ for (i = 1; i <= NF; i++) if ($i ~ /\/(smtpd|smtp|lmtp|qmqpd)\[[0-9]+\]:$/) { if (!seen[$i]++) print $i; break } }' \
			>"$TMP/wanted" || return 1
	true >"$TMP/ids"
	evidence_filter_parts=0
	while [ -s "$TMP/wanted" ] && [ "$evidence_filter_parts" -lt 5 ]; do
		evidence_part "$1" "$TMP/wanted" | evidence_pack >"$TMP/part.$evidence_filter_parts" || return 1
		evidence_unpack "$TMP/part.$evidence_filter_parts" | evidence_ids "$TMP/ids" >"$TMP/wanted" || return 1
		cat "$TMP/wanted" >>"$TMP/ids" || return 1
		evidence_filter_parts=$((evidence_filter_parts + 1))
	done
	[ "$evidence_filter_parts" -eq 0 ] || evidence_merge "$TMP"/part.*
	rm -f -- "$TMP/spool" "$TMP"/part.*
}

# evidence_spool POSITION: a journal is read once, into a packed file: journalctl takes far longer than all the rest.
# Returns 1 where that is not so, or where there is little room.
evidence_spool() {
	case $1 in
	journal*) have gzip || return 1 ;;
	*) return 1 ;;
	esac
	disk_free "$TMP"
	[ "$FREE_BYTES" -ge 2000000000 ] || return 1
	log_since "$1" | gzip -1 -c >"$TMP/spool"
}

# evidence_part POSITION WANTED: `PLACE:LINE` of each line that has one of the strings of the file WANTED, PLACE being a
# number that grows. For many strings GNU grep is three times as fast with one regular expression, and bytes cost it
# nothing to count; other greps know neither.
evidence_part() {
	case $(run grep --version 2>/dev/null) in
	*GNU*)
		sed 's/[][\\.*^$+?(){}|]/\\&/g' "$2" | paste -s -d '|' - >"$TMP/pattern"
		log_grep "$1" -abE -f "$TMP/pattern"
		;;
	*) log_grep "$1" -anF -f "$2" ;;
	esac
}

# evidence_merge PART...: the lines of all parts in the log's order, each once. Memory does not grow with them.
evidence_merge() {
	if have gzip; then set -- 'gzip -dc --' "$@"; else set -- 'cat --' "$@"; fi
	awk '
		function advance(part,   text, colon) {
			number[part] = 0
			if ((reader " " ARGV[part]) | getline text <= 0) return
			colon = index(text, ":")
			number[part] = substr(text, 1, colon - 1) + 1 # the first byte is 0, which stands for the end
			line[part] = substr(text, colon + 1)
		}
		BEGIN {
			reader = ARGV[1]
			for (part = 2; part < ARGC; part++) advance(part)
			while (1) {
				first = 0
				for (part = 2; part < ARGC; part++)
					if (number[part] && (!first || number[part] < number[first])) first = part
				if (!first) exit
				print line[first]
				now = number[first]
				for (part = 2; part < ARGC; part++) if (number[part] == now) advance(part)
			}
		}' "$@"
}

# evidence_ids KNOWN: the queue ids in `QID: …` texts, and those a message goes on under, without those in the file
# KNOWN. Printed as ` QID: ` and `[as ]QID)` would be too clever: the bare id is looked for, the client places each
# line exactly.
evidence_ids() {
	awk '
		function keep(id) {
			if (id ~ /^([0-9A-F]+|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]+)$/ && length(id) >= 6 && !seen[id]++) print id
		}
		FILENAME == ARGV[1] {
			seen[$0] = 1
			next
		}
		{
			at = index($0, "]: ")
			if (!at) next
			text = substr($0, at + 3)
			end = index(text, ": ")
			if (end > 6 && end < 25) keep(substr(text, 1, end - 1))
			if (match(text, /queued as [0-9A-Za-z]+/)) keep(substr(text, RSTART + 10, RLENGTH - 10))
			if (match(text, /notification: [0-9A-Za-z]+/)) keep(substr(text, RSTART + 14, RLENGTH - 14))
		}' "$1" -
}

# evidence_save ID [anew]: the snapshot in the lease's folder, compressed, so that rotation cannot lose it. What is there
# already stays until there is a better one: the watcher is stopped when somebody else has settled the lease, and may
# be at this.
evidence_save() {
	[ -n "${2-}" ] || [ ! -f "$STATE/leases/$1/evidence" ] || return 0
	tmp_make "$STATE" || tmp_make || return 1
	evidence_save_mark=$(cat "$STATE/leases/$1/mark" 2>/dev/null) || evidence_save_mark=none
	journal "$1" snapshot
	evidence_make "$evidence_save_mark" "$TMP/evidence" || return 1
	evidence_losses "$evidence_save_mark" | put "$STATE/leases/$1/missing"
	mv -f -- "$TMP/evidence" "$STATE/leases/$1/evidence"
}

# evidence_make POSITION FILE: the evidence, packed. Returns 1 where there was no room to find or to write all of it.
evidence_make() {
	evidence_make_status=$(
		{
			{
				evidence_filter "$1" 2>/dev/null
				printf '%s' "$?" >&3
			} | evidence_cut | evidence_pack >"$2"
			printf ' %s' "$?" >&3
		} 3>&1 2>/dev/null
	)
	[ "$evidence_make_status" = '0 0' ]
}

# evidence_cut: at most 200 MB of it; what is cut is said among the losses.
EVIDENCE_LIMIT=200000000
evidence_cut() {
	head -c "$EVIDENCE_LIMIT"
	[ -z "$(head -c 1 | od -An -tx1)" ] || printf 'cut the evidence is larger than %s bytes and was cut there\n' "$EVIDENCE_LIMIT" >"$TMP/cut"
}

evidence_pack() { if have gzip; then gzip -c; else cat; fi; }

evidence_unpack() { if have gzip; then gzip -dc -- "$1"; else cat -- "$1"; fi; }

evidence_encoding() { if [ "$(od -An -tx1 -N2 -- "$1" | tr -d ' ')" = 1f8b ]; then printf gzip; else printf raw; fi; }

# evidence_losses POSITION: why the evidence of the lease that is loaded may not be all, `CODE TEXT` a line.
evidence_losses() {
	[ ! -s "$TMP/cut" ] || cat -- "$TMP/cut"
	[ "$L_drained" != no ] || printf '%s\n' "undrained processes of the window were still logging when the evidence was taken"
	if log_was_lost "$1"; then
		printf '%s\n' "rotated the log was rotated in the window and its older part is gone"
	fi
	{
		log_grep "$1" -aF -e Suppressed -e 'due to rate-limiting' -e 'to drop messages' -e 'messages lost' | grep -aE "$LOSS_LINE"
		case $1 in
		journal\ ?*) run journalctl -q --no-pager --after-cursor="${1#journal }" -t systemd-journald -o cat 2>/dev/null | grep -aE "$LOSS_LINE" ;;
		esac
	} | head -n 20 | while IFS= read -r evidence_losses_line; do
		printf 'rate-limit the logging system dropped lines: %s\n' "${evidence_losses_line##*: }"
	done
}

# verbose_pids ID: the pids that were verbose in this lease's window.
verbose_pids() {
	log_verbose "$(cat "$STATE/leases/$1/mark")" |
		sed -n 's/^.*\/\(smtpd\|smtp\|lmtp\|qmqpd\)\[\([0-9][0-9]*\)\]: .*/\2/p' | sort -u
}

# log_free: percent and bytes free where the log grows (the journal is under /var/log or /run/log).
log_free() {
	case $LOG in
	file:*) log_free_path=${LOG#file:} ;;
	*) if [ -d /var/log/journal ]; then log_free_path=/var/log/journal; else log_free_path=/run/log; fi ;;
	esac
	disk_free "$log_free_path"
}

# disk_free PATH: sets FREE_PERCENT and FREE_BYTES.
disk_free() {
	FREE_PERCENT=100 FREE_BYTES=0
	disk_free_path=$1
	until [ -e "$disk_free_path" ]; do disk_free_path=${disk_free_path%/*}; [ -n "$disk_free_path" ] || disk_free_path=/; done
	disk_free_line=$(run df -Pk -- "$disk_free_path" 2>/dev/null | tail -n 1)
	# shellcheck disable=SC2086 # columns of df -P
	set -- $disk_free_line
	is_number "${4-}" || return 0
	FREE_BYTES=$(($4 * 1024))
	[ $(($3 + $4)) -eq 0 ] || FREE_PERCENT=$(($4 * 100 / ($3 + $4)))
}
