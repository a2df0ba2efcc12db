# shellcheck shell=sh
# Which lines of the log are evidence: what is verbose, what follows it by queue id, and what is missing.

# A process is verbose for a peer when it logs the dialogue (smtpd_chat.c, smtp_chat.c) or the set-up that only
# verbose processes log (smtp_stream.c, smtp_connect.c).
VERBOSE_TEXT='([<>] |smtp_stream_setup: |smtp_parse_destination: |connecting to )'
VERBOSE_LINE="/(smtpd|smtp|lmtp|qmqpd)\\[[0-9]+\\]: $VERBOSE_TEXT"

# For awk: which process a line is of, as `TAG[PID]:`, where debug_peer_list can make that process verbose, and where it is
# none of another instance (`foreign` has the names that those log under, a blank behind each). The tag is the third to
# fifth word in every format that we read.
# shellcheck disable=SC2016 # awk's $i
AWK_PROCESS='
	function process(   i, tag) {
		for (i = 1; i <= NF && i < 8; i++) if ($i ~ /\/(smtpd|smtp|lmtp|qmqpd)\[[0-9]+\]:$/) {
			if (foreign == "") return $i
			tag = $i
			sub(/\/[^\/]*$/, "", tag)
			return index(" " foreign, " " tag " ") ? "" : $i
		}
		return ""
	}'

# log_verbose POSITION: the lines that only a verbose process logs. Fixed strings first: they let few lines through to
# the regular expression, which costs three times as much.
log_verbose() {
	log_grep "$1" -aF -e ']: < ' -e ']: > ' -e ']: smtp_stream_setup: ' -e ']: smtp_parse_destination: ' \
		-e ']: connecting to ' | grep -aE "$VERBOSE_LINE"
}

# evidence_filter POSITION: of all lines since POSITION those whose process handled a verbose session, those that share a
# queue id with them, and what Postfix says of itself at the normal level. grep does the reading, awk sees only what grep lets through. The log is read once
# for the processes, once for their lines, and once for each generation of queue ids (a message that is bounced
# or filtered goes on under another one): each time only for what is new, and the findings are merged by their place.
evidence_filter() {
	! evidence_spool "$1" || set -- spool
	log_verbose "$1" | awk -v foreign="${L_foreign-}" "$AWK_PROCESS"'{ key = process() } key != "" && !seen[key]++ { print key }' >"$TMP/wanted" || return 1
	true >"$TMP/ids"
	{ cat -- "$TMP/wanted" && printf '%s\n' ']: warning: ' ']: error: ' ']: fatal: ' ']: panic: '; } >"$TMP/first" || return 1
	evidence_part "$1" "$TMP/first" | evidence_host | evidence_pack >"$TMP/part.0" || return 1
	evidence_unpack "$TMP/part.0" | evidence_ids "$TMP/ids" >"$TMP/wanted" || return 1
	cat "$TMP/wanted" >>"$TMP/ids" || return 1
	evidence_filter_parts=1
	while [ -s "$TMP/wanted" ] && [ "$evidence_filter_parts" -lt 5 ]; do
		evidence_part "$1" "$TMP/wanted" | evidence_named | evidence_pack >"$TMP/part.$evidence_filter_parts" || return 1
		evidence_unpack "$TMP/part.$evidence_filter_parts" | evidence_ids "$TMP/ids" >"$TMP/wanted" || return 1
		cat "$TMP/wanted" >>"$TMP/ids" || return 1
		evidence_filter_parts=$((evidence_filter_parts + 1))
	done
	evidence_merge "$TMP"/part.*
	rm -f -- "$TMP/spool" "$TMP"/part.*
}

# evidence_host: of the lines on stdin those of the processes in the file `wanted`, and up to 200 others in which a daemon of
# this instance warns or dies and that are about the host: its tables, milters, certificates, processes. Not what names a
# client, an address or a message: that is about other mail.
evidence_host() {
	awk -v foreign="${L_foreign-}" -v own="${I_syslog_name-postfix}" "$AWK_PROCESS"'
		FILENAME == ARGV[1] {
			wanted[$1] = 1
			next
		}
		!/\]: (warning|error|fatal|panic): / || (process() in wanted) {
			print
			next
		}
		is_of_host() && said++ < 200
		function is_of_host(   i, at, text) {
			at = index($0, "]: ")
			text = substr($0, at + 3)
			if (text !~ /^(warning|error|fatal|panic): /) return 0
			for (i = 1; i <= NF && i < 8; i++) if ($i ~ /\/[a-z-]+\[[0-9]+\]:$/) break
			if (i > NF || index($i, own "/") != 1) return 0
			sub(/^[a-z]+: /, "", text)
			return text !~ /^[0-9A-Za-z]+: |@|[^ ]\[[0-9A-Fa-f.:]+\]|does not resolve to address|hostname [^ ]+ verification/
		}' "$TMP/wanted" -
}

# evidence_named: of the `PLACE:LINE`s on stdin those that name a queue id of the file `wanted` as a word behind their tag. A log
# has other programs' lines as well, and what looks like an id may be chosen by another user: the name of the host, which
# stands before the tag of each line, can have its form. For an account with the installed agent only lines of programs
# that handle mail, since it is trusted with no others.
evidence_named() {
	awk -v mail_only="${L_installed-no}" '
		FILENAME == ARGV[1] {
			wanted[$1] = 1
			next
		}
		{
			at = index($0, ": ")
			if (!at || mail_only == "yes" && !is_of_mail(substr($0, 1, at - 1))) next
			n = split(substr($0, at + 2), word, /[^0-9A-Za-z]+/)
			for (i = 1; i <= n; i++) if (word[i] in wanted) {
				print
				next
			}
		}
		function is_of_mail(tag) {
			sub(/^.* /, "", tag)
			sub(/\[[0-9]+\]$/, "", tag)
			return tag ~ /\/[a-z0-9_-]+$/ || tag ~ /^(amavis|clamav-milter|dovecot|opendkim|opendmarc|policyd-spf|postgrey|rspamd|spamd)$/
		}' "$TMP/wanted" -
}

# evidence_spool POSITION: a journal is read once, into a packed file: journalctl takes far longer than all the rest.
# Returns 1 where that is not so, or where there is little room.
evidence_spool() {
	position_read "$1"
	if [ "$AT_KIND" != journal ] || ! have gzip; then return 1; fi
	disk_free "$TMP"
	[ "$FREE_BYTES" -ge 2000000000 ] || return 1
	log_since "$1" | gzip -1 -c >"$TMP/spool"
}

# evidence_part POSITION WANTED: `PLACE:LINE` of each line that has one of the strings of the file WANTED, PLACE being a
# number that grows. For many strings GNU grep is three times as fast with one regular expression, and bytes cost it
# nothing to count; other greps know neither.
evidence_part() {
	case $(run_last grep --version 2>/dev/null) in
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
# KNOWN. The bare id is looked for; the client places each line exactly.
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
# already stays until there is a better one: the watcher is stopped when another process has settled the lease, and may
# be at this.
evidence_save() {
	[ -n "${2-}" ] || [ ! -f "$STATE/leases/$1/evidence" ] || return 0
	tmp_make "$STATE" || tmp_make || return 1
	evidence_save_mark=$(cat "$STATE/leases/$1/mark" 2>/dev/null) || evidence_save_mark=none
	journal "$1" snapshot
	evidence_make "$evidence_save_mark" "$TMP/evidence" || return 1
	evidence_losses "$evidence_save_mark" "$1" | put "$STATE/leases/$1/missing"
	mv -f -- "$TMP/evidence" "$STATE/leases/$1/evidence"
	drop "$STATE/leases/$1/partial"
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

# evidence_losses POSITION LEASE: why the evidence of the lease that is loaded may not be all, `CODE TEXT` a line. What is not on
# this list was proven: the mark stands, both reloads are in the log, nothing between them was dropped.
evidence_losses() {
	position_read "$1"
	if [ "$AT_KIND" = none ]; then
		printf '%s\n' "log-elsewhere the log of this Postfix is kept elsewhere, so nothing could be read on this host"
		return
	fi
	[ ! -s "$TMP/cut" ] || cat -- "$TMP/cut"
	[ "$L_drained" != no ] || printf '%s\n' "undrained processes of the window were still logging when the evidence was taken"
	[ -z "${L_behind-}" ] || printf '%s\n' "log-behind a marked line that was written when the last session was over has not arrived in the log, so it may lack the end of sessions"
	if log_was_lost "$1"; then
		printf '%s\n' "rotated the log was rotated in the window and its older part is gone"
	fi
	loss_of_reload "$1"
	loss_of_entries "$1"
	loss_notices "$1" "${2-}" | awk '!seen[$0]++' | head -n 20
}

# loss_of_reload POSITION: master says in the log when it has read its configuration anew: once for the beginning of the
# window, once for its end. Where such a line was not seen at the time it may have come late.
loss_of_reload() {
	case $L_armed_reload:$L_reload in
	seen: | seen:seen | seen:stopped | :*) return 0 ;;
	esac
	loss_reloads=$(log_grep "$1" -aE "^[^[]* ${I_syslog_name-postfix}/master\\[[0-9]+\\]: (reload|daemon started) -- " | wc -l)
	loss_wanted=1
	case $L_reload in
	seen | unseen) loss_wanted=2 ;;
	esac
	[ "$loss_reloads" -ge "$loss_wanted" ] ||
		printf '%s\n' "reload-unseen the log lacks master's line for $((loss_wanted - loss_reloads)) of $loss_wanted reloads of the window, so it may lack others"
}

# loss_of_entries POSITION: journald numbers its entries without a gap (__SEQNUM, systemd 254 and later), of all programs. So
# what was deleted or cannot be read since the mark can be counted. Of a very large piece only the first 100,000 entries
# are looked at: journald deletes the oldest first.
loss_of_entries() {
	position_read "$1"
	if [ "$AT_KIND" != journal ] || [ -z "$L_sequence" ]; then return 0; fi
	loss_entries=$(journal_read "$AT_CURSOR" -o export -n +100000 | loss_count)
	[ "${loss_entries:-0}" -eq 0 ] ||
		printf '%s\n' "gap $loss_entries entries of the window are gone from the journal (by its sequence numbers)"
}

# loss_count: how many numbers are missing behind the mark's; nothing where there was nothing to read.
loss_count() {
	grep -a '^__SEQNUM=[0-9]*$' | awk -F= -v last="$L_sequence" '
		$2 > last { lost += $2 - last - 1; last = $2 }
		END { if (NR) print lost + 0 }'
}

# loss_notices POSITION LEASE: what the logging system itself says that it dropped, here and in the places beside a log file.
# Of journald only what it says itself: fields that begin with _ cannot be forged (systemd.journal-fields(7)). Where the
# journal is the log, what a syslog daemon did not get or dropped is not missing.
loss_notices() {
	position_read "$1"
	if [ "$AT_KIND" = journal ]; then
		journal_read_matching "$AT_CURSOR" _TRANSPORT=driver | loss_say | grep '^suppressed '
		return
	fi
	{
		loss_grep "$1"
		[ ! -f "$STATE/leases/$2/aside" ] || while IFS= read -r loss_aside; do
			position_read "$loss_aside"
			case $AT_KIND in
			journal) journal_read_matching "$AT_CURSOR" _TRANSPORT=driver + SYSLOG_IDENTIFIER=rsyslogd + SYSLOG_IDENTIFIER=syslog-ng ;;
			file) loss_grep "$loss_aside" ;;
			esac
		done <"$STATE/leases/$2/aside"
	} | loss_say
}

loss_grep() {
	log_grep "$1" -aF -e Suppressed -e 'due to rate-limiting' -e 'to drop messages' -e 'messages lost' -e 'Forwarding to syslog missed'
}

# loss_say: `CODE TEXT` for each kind of notice among the lines on stdin: our words and a number, since other programs' lines
# quote strangers. Only behind the tag of the program that writes such notices: journald-rate-limit.c and journald-syslog.c
# of systemd, ratelimit.c and imjournal.c of rsyslog, and syslog-ng. One notice may stand in several logs, and not all give
# a number. What journald suppressed of another unit is not Postfix's.
loss_say() {
	LOSS_UNIT=${L_unit:-.service} awk '
		function count(code, number) {
			notices[code]++
			lines[code] += number
		}
		function number(pattern,   text) {
			if (!match(notice, pattern)) return 0
			text = substr(notice, RSTART, RLENGTH)
			gsub(/[^0-9]/, "", text)
			return length(text) < 10 ? text + 0 : 0
		}
		{
			at = index($0, ": ")
			tag = substr($0, 1, at - 1)
			sub(/^.* /, "", tag)
			sub(/\[[0-9]+\]$/, "", tag)
			if (tag !~ /^(systemd-journald?|journal|rsyslogd(-[0-9]+)?|syslog-ng)$/) next
			notice = substr($0, at + 2)
			if (notice in seen) next
			seen[notice] = 1
			if (notice ~ /^Suppressed [0-9]+ messages from /) {
				if (notice ~ /\.service/ && !index(notice, ENVIRON["LOSS_UNIT"])) next
				count("suppressed", number("^Suppressed [0-9]+"))
			} else if (notice ~ /^Forwarding to syslog missed [0-9]+ messages/)
				count("forward-missed", number("missed [0-9]+"))
			else if (notice ~ /due to rate-limiting|begin.*to drop messages|messages lost/)
				count("rate-limit", number("[0-9]+ messages lost|lost [0-9]+ messages"))
		}
		function tell(code, what) {
			if (code in notices) print code, what, lines[code] ? "at least " lines[code] " lines" : "lines, and did not say how many"
		}
		END {
			tell("suppressed", "journald dropped")
			tell("forward-missed", "journald could not pass on to the syslog daemon")
			tell("rate-limit", "the logging system dropped")
		}'
}

# verbose_pids ID: the pids that were verbose in this lease's window.
# Where the log is elsewhere it cannot be seen which: then each one that is in a session counts.
verbose_pids() {
	if [ "$(cat "$STATE/leases/$1/mark")" = none ]; then
		mail_processes | awk '{ print $1 }'
		return
	fi
	log_verbose "$(cat "$STATE/leases/$1/mark")" |
		sed -n 's/^.*\/\(smtpd\|smtp\|lmtp\|qmqpd\)\[\([0-9][0-9]*\)\]: .*/\2/p' | sort -u
}
