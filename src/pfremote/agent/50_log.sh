# shellcheck shell=sh
# Where Postfix logs, from which point on, and which lines of it are evidence.

# log_source: maillog_file, else the journal, else the syslog file. The journal comes before the file because
# journald drops lines on the way to syslogd when that socket's queue is full. Sets LOG and LOG_WHY.
log_source() {
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

# log_position: the end of the log now, as one line: `journal CURSOR` or `file INODE SIZE PATH`.
log_position() {
	case $LOG in
	journal)
		log_position_cursor=$(run journalctl -q -n 1 --show-cursor -o cat 2>/dev/null | sed -n 's/^-- cursor: //p')
		printf 'journal %s\n' "$log_position_cursor"
		;;
	file:*)
		log_position_path=${LOG#file:}
		# shellcheck disable=SC2012 # ls -i and ls -n are the portable way to inode and size
		log_position_size=$(wc -c <"$log_position_path" 2>/dev/null) || log_position_size=0
		printf 'file %s %s %s\n' "$(inode_of "$log_position_path")" $((log_position_size)) "$log_position_path"
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

# log_since POSITION: every line after it, through rotation by rename, copytruncate and compression.
log_since() {
	log_since_kind=${1%% *}
	log_since_rest=${1#* }
	case $log_since_kind in
	journal) log_journal "$log_since_rest" ;;
	file)
		log_since_inode=${log_since_rest%% *}
		log_since_rest=${log_since_rest#* }
		log_since_size=${log_since_rest%% *}
		log_file "$log_since_inode" "$log_since_size" "${log_since_rest#* }"
		;;
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

# log_file INODE SIZE PATH
log_file() {
	if [ "$(inode_of "$3")" = "$1" ] && [ "$(($(wc -c <"$3")))" -ge "$2" ]; then
		run tail -c "+$(($2 + 1))" -- "$3"
		return
	fi
	# Rotated since: the file that we marked has another name now (rename), or a copy of it has and the
	# original was cut (copytruncate), or it was compressed. Oldest first, then the live file.
	log_file_found=no
	# shellcheck disable=SC2045,SC2012 # names that logrotate makes; -t is the order we need
	for log_file_name in $(ls -tr -- "$3".[0-9]* "$3"-[0-9]* 2>/dev/null); do
		case $log_file_found in
		yes) log_cat "$log_file_name" ;;
		no)
			if [ "$(inode_of "$log_file_name")" = "$1" ]; then
				log_file_found=yes
				run tail -c "+$(($2 + 1))" -- "$log_file_name"
			fi
			;;
		esac
	done
	if [ "$log_file_found" = no ]; then
		log_file_name=$(log_file_copy "$2" "$3")
		[ -z "$log_file_name" ] || log_cat "$log_file_name" | tail -c "+$(($2 + 1))"
	fi
	[ ! -f "$3" ] || run cat -- "$3"
}

# log_file_copy SIZE PATH: the youngest rotated file that is long enough to have been the marked one.
log_file_copy() {
	# shellcheck disable=SC2045,SC2012 # see log_file
	for log_file_copy_name in $(ls -t -- "$2".[0-9]* "$2"-[0-9]* 2>/dev/null); do
		if [ "$(log_cat "$log_file_copy_name" | wc -c)" -ge "$1" ]; then
			printf '%s' "$log_file_copy_name"
			return 0
		fi
	done
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

# log_was_lost POSITION: yes when the marked file is neither live nor found among the rotated ones.
log_was_lost() {
	case $1 in
	file\ *) ;;
	*) return 1 ;;
	esac
	log_was_rest=${1#file }
	log_was_inode=${log_was_rest%% *}
	log_was_rest=${log_was_rest#* }
	log_was_size=${log_was_rest%% *}
	log_was_path=${log_was_rest#* }
	[ "$(inode_of "$log_was_path")" != "$log_was_inode" ] || [ "$(($(wc -c <"$log_was_path")))" -lt "$log_was_size" ] || return 1
	# shellcheck disable=SC2045,SC2012 # see log_file
	for log_was_name in $(ls -t -- "$log_was_path".[0-9]* "$log_was_path"-[0-9]* 2>/dev/null); do
		[ "$(inode_of "$log_was_name")" != "$log_was_inode" ] || return 1
	done
	[ -z "$(log_file_copy "$log_was_size" "$log_was_path")" ]
}

# A short look at what the log says from here on (after a reload).
log_mark_here() { HERE=$(log_position); }
log_after_here() { log_since "$HERE"; }

# A process is verbose for a peer when it logs the dialogue (smtpd_chat.c, smtp_chat.c) or the set-up that only
# verbose processes log (smtp_stream.c, smtp_connect.c).
VERBOSE_LINE='/(smtpd|smtp|lmtp|qmqpd)\[[0-9]+\]: ([<>] |smtp_stream_setup: |smtp_parse_destination: |connecting to )'
LOSS_LINE='Suppressed [0-9]+ messages from|due to rate-limiting|begin.*to drop messages|messages lost'

# log_grep POSITION OPTION...: grep over every line after it. Where the file was not rotated grep reads the file
# itself, from its place on (dd moves the place and copies nothing): a pipe costs half as much as the search.
log_grep() {
	log_grep_position=$1
	shift
	case $log_grep_position in
	file\ *)
		log_grep_rest=${log_grep_position#file }
		log_grep_inode=${log_grep_rest%% *}
		log_grep_rest=${log_grep_rest#* }
		log_grep_size=${log_grep_rest%% *}
		log_grep_path=${log_grep_rest#* }
		if [ "$(inode_of "$log_grep_path")" = "$log_grep_inode" ] && [ "$(($(wc -c <"$log_grep_path")))" -ge "$log_grep_size" ]; then
			{
				dd bs=1 skip="$log_grep_size" count=0 2>/dev/null
				grep "$@"
			} <"$log_grep_path" 8>&- 9>&-
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
# or filtered goes on under another one): each time only for what is new, and the findings are merged by line number.
evidence_filter() {
	! evidence_spool "$1" || set -- spool
	log_verbose "$1" |
		awk '{ for (i = 1; i <= NF; i++) if ($i ~ /\/(smtpd|smtp|lmtp|qmqpd)\[[0-9]+\]:$/) { if (!seen[$i]++) print $i; break } }' \
			>"$TMP/wanted"
	true >"$TMP/ids"
	evidence_filter_parts=0
	while [ -s "$TMP/wanted" ] && [ "$evidence_filter_parts" -lt 5 ]; do
		evidence_part "$1" "$TMP/wanted" | evidence_pack >"$TMP/part.$evidence_filter_parts" || return 1
		evidence_unpack "$TMP/part.$evidence_filter_parts" | evidence_ids "$TMP/ids" >"$TMP/wanted"
		cat "$TMP/wanted" >>"$TMP/ids"
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

# evidence_part POSITION WANTED: `NUMBER:LINE` of each line that has one of the strings of the file WANTED. For many
# strings GNU grep is three times as fast with one regular expression; other greps are not.
evidence_part() {
	case $(run grep --version 2>/dev/null) in
	*GNU*)
		sed 's/[][\\.*^$+?(){}|]/\\&/g' "$2" | paste -s -d '|' - >"$TMP/pattern"
		log_grep "$1" -anE -f "$TMP/pattern"
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
			number[part] = substr(text, 1, colon - 1) + 0
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

# evidence_save ID: the snapshot in the lease's folder, compressed, so that rotation cannot lose it.
evidence_save() {
	[ ! -f "$STATE/leases/$1/evidence" ] || return 0
	tmp_make "$STATE" || tmp_make || return 1
	evidence_save_mark=$(cat "$STATE/leases/$1/mark" 2>/dev/null) || evidence_save_mark=none
	journal "$1" snapshot
	evidence_cut "$evidence_save_mark" | evidence_pack >"$TMP/evidence" || return 1
	evidence_losses "$evidence_save_mark" >"$STATE/leases/$1/missing"
	mv -f -- "$TMP/evidence" "$STATE/leases/$1/evidence"
}

# evidence_cut POSITION: at most 200 MB of it; what is cut is said among the losses.
EVIDENCE_LIMIT=200000000
evidence_cut() {
	evidence_filter "$1" 2>/dev/null | {
		head -c "$EVIDENCE_LIMIT"
		[ -z "$(head -c 1 | od -An -tx1)" ] || printf 'cut the evidence is larger than %s bytes and was cut there\n' "$EVIDENCE_LIMIT" >"$TMP/cut"
	}
}

evidence_pack() { if have gzip; then gzip -c; else cat; fi; }

evidence_unpack() { if have gzip; then gzip -dc -- "$1"; else cat -- "$1"; fi; }

evidence_encoding() { if [ "$(od -An -tx1 -N2 -- "$1" | tr -d ' ')" = 1f8b ]; then printf gzip; else printf raw; fi; }

# evidence_losses POSITION: why the evidence may not be all, `CODE TEXT` a line.
evidence_losses() {
	[ ! -s "$TMP/cut" ] || cat -- "$TMP/cut"
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
