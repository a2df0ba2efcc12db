# shellcheck shell=sh
# Where Postfix logs, and reading its log from a position on.

# The log: `journal`, `journal:NAME` (of a namespace of journald), `file:PATH`, `elsewhere` (the operator says so) or `none`.
LOG=none LOG_WHY=
JOURNAL_SPACE=

# log_of_lease ID: LOG as it was when the lease took its mark.
log_of_lease() {
	first_line "$STATE/leases/$1/mark" || return 0
	position_read "$LINE"
	case $AT_KIND in
	journal) LOG=journal$JOURNAL_SPACE ;;
	file) LOG=file:$AT_PATH ;;
	none) LOG=elsewhere ;;
	esac
}

# log_position: the end of the log now, as one line: `journal[:NAME] CURSOR` or `file INODE SIZE SUM PATH`. SUM is a checksum of
# what stands right before: an inode number is soon used again, and a file that was cut may have grown past SIZE. CURSOR is
# that of the newest entry of mail; it is empty where there is none, so that all that comes is behind it.
log_position() {
	case $LOG in
	journal*)
		JOURNAL_SPACE=${LOG#journal}
		printf '%s %s\n' "$LOG" "$(journal_read_mail '' -n 1 --show-cursor -o cat | journal_cursor)"
		;;
	file:*)
		log_position_path=${LOG#file:}
		log_position_size=$(wc -c <"$log_position_path" 2>/dev/null) || log_position_size=0
		printf 'file %s %s %s %s\n' "$(inode_of "$log_position_path")" $((log_position_size)) \
			"$(log_sum "$log_position_path" $((log_position_size)))" "$log_position_path"
		;;
	*) printf 'none\n' ;;
	esac
}

inode_of() {
	# shellcheck disable=SC2012 # ls -i is the portable way to an inode
	inode_of_text=$(ls -di -- "$1" 2>/dev/null) || return 1
	# shellcheck disable=SC2086 # split on purpose
	set -- $inode_of_text
	printf '%s' "$1"
}

# position_read POSITION: what it is into AT_KIND (journal, file, spool or none), and its parts: JOURNAL_SPACE and AT_CURSOR
# of a journal, AT_INODE, AT_SIZE, AT_SUM and AT_PATH of a file.
position_read() {
	AT_KIND=${1%% *} AT_CURSOR=
	position_read_rest=${1#"$AT_KIND"}
	position_read_rest=${position_read_rest# }
	case $AT_KIND in
	journal*)
		AT_CURSOR=$position_read_rest JOURNAL_SPACE=${AT_KIND#journal}
		AT_KIND=journal
		;;
	file)
		AT_INODE=${position_read_rest%% *}
		position_read_rest=${position_read_rest#* }
		AT_SIZE=${position_read_rest%% *}
		position_read_rest=${position_read_rest#* }
		AT_SUM=${position_read_rest%% *}
		AT_PATH=${position_read_rest#* }
		;;
	esac
}

# journal_read CURSOR OPTION...: journal entries behind the cursor (all where it is empty), as Postfix's lines where no
# other format is asked for. The one place that says how journalctl is called.
journal_read() {
	journal_read_cursor=$1
	shift
	if [ -n "$journal_read_cursor" ]; then
		set -- --after-cursor="$journal_read_cursor" "$@"
	fi
	[ -z "$JOURNAL_SPACE" ] || set -- --namespace="${JOURNAL_SPACE#:}" "$@"
	run journalctl -q --no-pager -a -o short-iso-precise "$@" 2>/dev/null
}

# journal_read_mail CURSOR OPTION...: of these only those of the mail facility, where Postfix uses it. The cursor has to be
# one of them, as log_position, the mark and --show-cursor of such a reading give it: see journal_read_matching.
journal_read_mail() {
	if [ "$I_facility" = mail ]; then
		journal_read "$@" SYSLOG_FACILITY=2
	else
		journal_read "$@"
	fi
}

# journal_read_matching CURSOR MATCH...: of these only those that match, whether the cursor's entry is one of them or not.
# Before systemd 255 --after-cursor leaves out the first entry that matches, even where that is not the cursor's (its issue
# 30288). So the cursor's entry is left out only where it is the first.
journal_read_matching() {
	journal_matching_cursor=$1
	shift
	if [ -n "$journal_matching_cursor" ] && ! journal_begins "$journal_matching_cursor" "$@"; then
		set -- --cursor="$journal_matching_cursor" "$@"
		journal_matching_cursor=
	fi
	journal_read "$journal_matching_cursor" "$@"
}

# journal_begins CURSOR MATCH...: is the entry of the cursor there, and does it match?
journal_begins() {
	journal_begins_cursor=$1
	shift
	# with SIGPIPE as it was, or journalctl would write on to its end although head has gone; what was ignored when this shell
	# began stays ignored, so the guard begins with it as usual
	journal_begins_entry=$(trap - PIPE; journal_read '' --cursor="$journal_begins_cursor" "$@" -o export | head -n 1)
	[ "$journal_begins_entry" = "__CURSOR=$journal_begins_cursor" ]
}

# journal_cursor: of what --show-cursor writes on stdin, the cursor, which is the last line; nothing where it is cut off, or
# where there was no entry.
journal_cursor() { tail -n 1 | sed -n 's/^-- cursor: //p'; }

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
	position_read "$1"
	case $AT_KIND in
	journal) journal_read_mail "$AT_CURSOR" ;;
	file) log_file ;;
	spool) gzip -dc -- "$TMP/spool" ;;
	esac
}

# log_file: every line after the position that was read last, which is one of a file.
log_file() {
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
	position_read "$1"
	case $AT_KIND in
	file) log_file_was_lost ;;
	journal) log_journal_was_lost ;;
	*) return 1 ;;
	esac
}

log_file_was_lost() {
	# without an inode there was no file yet when the lease took its mark
	if [ -z "$AT_INODE" ] || log_unrotated; then return 1; fi
	[ -z "$(log_rotated)" ]
}

log_journal_was_lost() {
	[ -n "$AT_CURSOR" ] || return 1
	! journal_begins "$AT_CURSOR"
}

# A short look at what the log says from here on (after a reload). A grep that has found its line reads no further, and
# tail complains of that, since our children ignore SIGPIPE as we do.
log_mark_here() { HERE=$(log_position); }
log_after_here() { log_since "$HERE" 2>/dev/null; }

# log_grep POSITION OPTION...: grep over every line after it. Where the file was not rotated grep reads the file
# itself, from its place on (dd moves the place and copies nothing): a pipe costs half as much as the search.
log_grep() {
	log_grep_position=$1
	shift
	position_read "$log_grep_position"
	if [ "$AT_KIND" = file ] && log_unrotated; then
		{
			dd bs=1 skip="$AT_SIZE" count=0 2>/dev/null
			grep "$@"
		} <"$AT_PATH" 8>&- 9>&-
	else
		log_since "$log_grep_position" | grep "$@"
	fi
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
	disk_free_line=$(run_last df -Pk -- "$disk_free_path" 2>/dev/null)
	disk_free_line=${disk_free_line##*"$NL"}
	# shellcheck disable=SC2086 # columns of df -P
	set -- $disk_free_line
	is_number "${4-}" || return 0
	FREE_BYTES=$(($4 * 1024))
	[ $(($3 + $4)) -eq 0 ] || FREE_PERCENT=$(($4 * 100 / ($3 + $4)))
}
