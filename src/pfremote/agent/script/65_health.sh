# shellcheck shell=sh
# What the log says of Postfix itself since a change: daemons that die, patterns that it cannot use. Only a line's own
# beginning counts, behind the tag of the program that writes such lines: what a stranger sent stands further on. Nothing
# of a line is passed on but the name of the daemon.

# Programs that users and administrators start by hand: what they say in the log is not the mail system's state.
HEALTH_COMMANDS='sendmail|postalias|postcat|postconf|postdrop|postfix|postfix-script|postfix-tls-script|post-install|postkick|postlock|postlog|postmap|postmulti|postmulti-script|postqueue|postsuper|mailq|newaliases'

# unwell_find POSITION FILE: is there a line in FILE, which is of the log behind POSITION, that says that a daemon of this
# instance died, or that master holds a service back? UNWELL says which. What the log had said before POSITION as well is
# no news: the change is not the cause.
unwell_find() {
	UNWELL=
	grep -aE '\]: (fatal: |panic: |warning: .*( -- throttling|killed by signal))' "$2" >"$TMP/said" 2>/dev/null || return 1
	unwell_lines <"$TMP/said" >"$TMP/unwell"
	[ -s "$TMP/unwell" ] || return 1
	log_before "$1" | unwell_lines >"$TMP/unwell.before"
	UNWELL=$(awk '
		FILENAME == ARGV[1] { before[$0] = 1; next }
		!($0 in before) { print $1, $2; exit }' "$TMP/unwell.before" "$TMP/unwell")
	[ -n "$UNWELL" ]
}

# unwell_lines: of the lines on stdin those that say so, as `DAEMON KIND WORDS`, the words without numbers: what happens
# again with another pid is the same.
unwell_lines() {
	awk -v instance="$I_syslog_name/" -v commands="^($HEALTH_COMMANDS)\$" '
		{
			at = index($0, "]: ")
			head = substr($0, 1, at - 1)
			text = substr($0, at + 3)
			if (!at || !match(head, /\[[0-9]+$/)) next
			tag = substr(head, 1, RSTART - 1)
			sub(/^.* /, "", tag)
			if (index(tag, instance) != 1) next
			daemon = tag
			sub(/^.*\//, "", daemon)
			kind = ""
			if (text ~ /^(fatal|panic): /) {
				kind = substr(text, 1, 5)
				# a second master that finds the first at work goes away: nothing is wrong
				if (daemon ~ commands || daemon == "master" && text ~ /^fatal: open lock file .*: unable to set exclusive lock/) next
			} else if (daemon == "master" && text ~ /^warning: .* -- throttling$/) {
				kind = "throttled"
				if (match(text, /\/[a-z0-9_-]+: /)) daemon = substr(text, RSTART + 1, RLENGTH - 3)
			} else if (daemon == "master" && text ~ /^warning: process [^ ]+ pid [0-9]+ killed by signal (4|6|7|8|11)$/) {
				kind = "crashed"
				if (match(text, /\/[a-z0-9_-]+ pid /)) daemon = substr(text, RSTART + 1, RLENGTH - 6)
			}
			if (kind == "" || daemon !~ /^[a-z0-9_-]+$/ || length(daemon) > 40) next
			gsub(/[0-9]+/, "N", text)
			print daemon, kind, text
		}'
}

# log_before POSITION: what the log had said, as far back as is quickly read.
log_before() {
	position_read "$1"
	case $AT_KIND:${AT_CURSOR:+cursor} in
	file:) log_unrotated && run head -c "$AT_SIZE" -- "$AT_PATH" | tail -c 4000000 ;;
	journal:cursor) journal_read_mail '' --cursor="$AT_CURSOR" -r -n 5000 ;;
	esac 2>/dev/null | grep -aE '\]: (fatal|panic|warning): '
}

# health_notes FILE PATTERNS: which of the lease's PATTERNS the lines of FILE say that Postfix cannot use, one a line; `-` for
# one that is not ours. match_list.c and match_ops.c begin such a line with the name of the list.
health_notes() {
	grep -aE "/($MAIL_PROGRAMS)[[][0-9]+[]]: warning: debug_peer_list: " "$1" >"$TMP/said" 2>/dev/null || return 0
	awk '
		FILENAME == ARGV[1] {
			sub(/^!/, "")
			pattern[++n] = $0
			next
		}
		{
			at = index($0, "]: ")
			text = substr($0, at + 3)
			if (text !~ /^warning: debug_peer_list: /) next
			found = "-"
			for (i = 1; i <= n; i++) if (index(text, pattern[i]) && length(pattern[i]) >= length(found)) found = pattern[i]
			if (!seen[found]++) print found
		}' "$2" "$TMP/said" | head -n 5
}
