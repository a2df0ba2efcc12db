# shellcheck shell=sh
# The host's own policy, /etc/pfremote.conf: what no client may ask for, whatever it says. `name = value` a line:
#
#   max_minutes = 30          longest window, extensions included; windows of one account that follow each other count as one
#   pause_minutes = 30        unless the account had none for so long (as long as max_minutes where it is not set; 0: never)
#   day_minutes = 120         at most so many minutes of windows for one account in 24 hours
#   content = no              debug_peer_level 3 and TLS levels 3 and 4 are refused, --allow-content or not; and all levels
#                             where smtp_header_checks or smtp_body_checks would log lines of messages
#   forbid_peer = 192.0.2.7   never debugged: refused, and kept out of every wider pattern; may be repeated
#   forbid_next_hops = no     forbid_peer is about clients alone: names and tables may be debugged all the same
#   allow_table = TYPE:NAME   accounts with the installed agent may name this table too; may be repeated
#   allow_log = /var/log/x    accounts with the installed agent may name this log; may be repeated
#   volatile_guard = no       no lease where only a process would end it
#   require_reason = yes      no lease without --reason
#   keep_days = 7             evidence that no client fetched is deleted after so many days
#   keep_megabytes = 512      and before that, oldest first, when all of it is larger
#
# A policy that cannot be read as written refuses everything: half a policy is none.

POLICY=/etc/pfremote.conf
POLICY_WORDS='max_minutes = N, pause_minutes = N, day_minutes = N, content = no, forbid_peer = PATTERN, forbid_next_hops = no, allow_table = TYPE:NAME, allow_log = PATH, volatile_guard = no, require_reason = yes, keep_days = N, keep_megabytes = N'

policy_read() {
	P_max_minutes='' P_pause_minutes='' P_day_minutes='' P_content=yes P_volatile_guard=yes P_require_reason=no
	P_keep_days=7 P_keep_megabytes=512 P_forbidden='' P_forbid_next_hops=yes P_tables='' P_logs='' policy_number=0
	[ -e "$POLICY" ] || [ -L "$POLICY" ] || return 0
	if ! path_is_roots "$POLICY"; then
		policy_wrong "$POLICY is not root's alone" "Make it root's own with: chown root:root $POLICY; chmod 644 $POLICY"
		return 0
	fi
	while IFS= read -r policy_line || [ -n "$policy_line" ]; do
		policy_number=$((policy_number + 1))
		# shellcheck disable=SC2086 # words, blanks squeezed
		set -f && set -- $policy_line && set +f
		case ${1-} in
		'' | '#'*) continue ;;
		esac
		policy_value=${3-}
		if [ "$#" -eq 3 ] && [ "$2" = = ]; then policy_set "$1" "$policy_value" && continue; fi
		policy_wrong "line $policy_number of $POLICY is not understood" "Write one of these, with its value: $POLICY_WORDS"
	done <"$POLICY"
}

# policy_wrong TEXT HINT: for those who ask for debugging it is a refusal; looking, and turning it off, must go on.
policy_wrong() {
	case $main_verb in
	arm | extend) refuse policy "$1" "$2" ;;
	watch | sweep) ;;
	*) warn policy "$1" "$2" ;;
	esac
}

policy_set() {
	case $1:$2 in
	max_minutes:* | pause_minutes:* | day_minutes:* | keep_days:* | keep_megabytes:*) is_whole "$2" && eval "P_$1=\$2" ;;
	content:yes | content:no | volatile_guard:yes | volatile_guard:no | require_reason:yes | require_reason:no) eval "P_$1=\$2" ;;
	forbid_next_hops:yes | forbid_next_hops:no) P_forbid_next_hops=$2 ;;
	forbid_peer:*) policy_forbid "${2#!}" ;;
	allow_table:*) policy_allow_table "$2" ;;
	allow_log:*) policy_allow_log "$2" ;;
	*) return 1 ;;
	esac
}

policy_allow_table() {
	case $1 in
	?*:?*) peer_check_form "$1" && P_tables="$P_tables $1" ;;
	*) return 1 ;;
	esac
}

policy_allow_log() {
	case $1 in
	/*) P_logs="$P_logs $1" ;;
	*) return 1 ;;
	esac
}

# policy_forbid PATTERN: as Postfix compares it: no dot behind a name, and behind a next hop with a port the host as well. Not one
# that Postfix cannot read, such as an IPv6 address without brackets: it would read no further than that.
policy_forbid() {
	policy_forbid_one=$1
	peer_check_form "$1" && [ -z "$(nets_find_bad "$1")" ] || return 1
	case $1 in
	[\[]* | *[!0-9A-Fa-f:./]*) ;;
	*:*:*) return 1 ;;
	esac
	case $1 in
	\[*\]:*)
		P_forbidden="$P_forbidden $1"
		policy_forbid_one=${1%%\]:*}
		policy_forbid_one=${policy_forbid_one#\[}
		case $policy_forbid_one in
		*:*) policy_forbid_one="[$policy_forbid_one]" ;;
		esac
		;;
	*[!.].) policy_forbid_one=${1%.} ;;
	esac
	P_forbidden="$P_forbidden $policy_forbid_one"
}

# policy_check: of an arm. The levels of other leases were checked when they came.
policy_check() {
	if [ -n "$P_max_minutes" ] && [ "${A_seconds:-0}" -gt $((P_max_minutes * 60)) ]; then
		refuse policy "this host allows windows of at most $P_max_minutes minutes ($POLICY)" "Ask for no more: --minutes $P_max_minutes."
	else
		usage_check "$A_lease" '' "${A_seconds:-0}"
	fi
	if [ "$P_content" = no ] && [ -n "$levels_content" ]; then
		refuse policy "this host never logs message content: $levels_content is not allowed ($POLICY)" "Use a lower level."
	elif [ "$P_content" = no ] && checks_log_content; then
		refuse policy "this host never logs message content, and a debugged $checks_found would log what it looks up ($POLICY)" \
			"Empty that parameter for the window, or have root allow it in $POLICY: content = yes."
	fi
	if [ "$P_volatile_guard" = no ] && [ "$A_guard" = process ]; then
		refuse policy "this host allows no volatile guard ($POLICY)"
	fi
	if [ "$P_require_reason" = yes ] && [ -z "$A_reason" ]; then
		refuse policy "this host wants a reason ($POLICY)" "Say why: --reason TEXT."
	fi
	if [ -n "$P_forbidden" ]; then policy_check_forbidden; fi
}

# checks_log_content: does a client of this Postfix ask tables about lines of messages? A debugged smtp or lmtp logs each such
# line, at any level (global/header_body_checks.c). Which parameter into checks_found.
checks_log_content() {
	set --
	for checks_client in smtp lmtp; do
		for checks_kind in header mime_header nested_header body; do set -- "$@" "${checks_client}_${checks_kind}_checks"; done
	done
	checks_found=$(
		{
			run postconf -c "$CONF" -x "$@"
			# shellcheck disable=SC2046 # one pattern per parameter
			! master_cf_has '_checks' || run postconf -c "$CONF" -x -P $(printf '*/*/%s ' "$@")
		} 2>/dev/null | sed -n 's/ = ..*$//p' | head -n 1
	)
	[ -n "$checks_found" ]
}

# policy_check_forbidden: a pattern that is a forbidden peer, or part of one, in any spelling. A wider one is allowed, since
# the list then begins with !PEER (wanted_compute). But from 3.6 on Postfix compares the list with the next hop first, as a
# string and before there is an address (smtp.c, deliver_message()): a domain, a table, `[host]:port` may be debugged on its
# way to the forbidden peer, and so none of them is allowed.
policy_check_forbidden() {
	policy_hops=$P_forbid_next_hops
	case $I_version in
	[012].* | 3.[0-5].* | 3.[0-5]) policy_hops=no ;;
	esac
	policy_found=$({
		set -f
		# shellcheck disable=SC2086 # one word each
		printf 'F %s\n' $P_forbidden
		printf '%s' "$A_patterns" | sed 's/^/P /'
	} | policy_compare "$policy_hops")
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $policy_found && IFS=$BLANKS && set +f
	for policy_one in "$@"; do
		case $policy_one in
		is\ *) refuse policy "this host forbids debugging ${policy_one#is } ($POLICY)" ;;
		hop\ *) refuse policy "this host forbids debugging some peers, and ${policy_one#hop } could be the way to one of them ($POLICY)" \
			"Name addresses or networks." ;;
		esac
	done
}

# For awk: an address or network as the string of its bits, so that one contains the other where it is its beginning, and
# nothing where it is none (inet_pton(3)); ::ffff:192.0.2.7 is 192.0.2.7 (RFC 4291, section 2.5.5.2). is_net: can Postfix read
# it (util/cidr_match.c)? Letters in lower case.
# shellcheck disable=SC2016 # awk's $
AWK_BITS='
		function binary(number, width,   text) {
			for (text = ""; width > 0; width--) {
				text = number % 2 text
				number = int(number / 2)
			}
			return text
		}
		function bits4(text,   part, i, all) {
			if (split(text, part, ".") != 4) return ""
			for (i = 1; i <= 4; i++) {
				if (part[i] !~ /^(0|[1-9][0-9]*)$/ || part[i] > 255) return ""
				all = all binary(part[i] + 0, 8)
			}
			return all
		}
		function hex(text,   i, number) {
			for (i = 1; i <= length(text); i++) number = number * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
			return number
		}
		function words6(text,   n, part, i, all) {
			n = split(text, part, ":")
			for (i = 1; i <= n; i++) {
				if (part[i] == "" || length(part[i]) > 4) return "none"
				all = all binary(hex(part[i]), 16)
			}
			return all
		}
		function bits6(text,   last, gap, all, rest) {
			if (text ~ /[^0-9a-f:.]/ || text !~ /:/ || text ~ /:::|::.*::/) return ""
			if (text ~ /\./) {
				if (!match(text, /:[0-9.]+$/)) return ""
				last = bits4(substr(text, RSTART + 1))
				if (last == "") return ""
				text = substr(text, 1, RSTART) "0:0"
			}
			gap = index(text, "::")
			all = words6(gap ? substr(text, 1, gap - 1) : text)
			rest = gap ? words6(substr(text, gap + 2)) : ""
			if (all == "none" || rest == "none" || gap && length(all rest) > 112) return ""
			while (gap && length(all rest) < 128) all = all "0000000000000000"
			all = all rest
			if (length(all) != 128) return ""
			return last == "" ? all : substr(all, 1, 96) last
		}
		function bits(text,   long, all) {
			gsub(/[][]/, "", text)
			long = ""
			if (match(text, /\/[0-9]+$/)) {
				long = substr(text, RSTART + 1) + 0
				text = substr(text, 1, RSTART - 1)
			}
			all = bits4(text)
			if (all != "") return "4:" substr(all, 1, long == "" ? 32 : long)
			all = bits6(text)
			if (all == "") return ""
			all = substr(all, 1, long == "" ? 128 : long)
			if (mapped == "") mapped = binary(0, 80) binary(65535, 16)
			if (substr(all, 1, 96) == mapped) return "4:" substr(all, 97)
			return "6:" all
		}
		function is_net(text,   at, mask, all) {
			if (substr(text, 1, 1) == "[") {
				at = index(text, "]")
				if (!at) return 0
				mask = substr(text, at + 1)
				text = substr(text, 2, at - 2)
			}
			at = index(text, "/")
			if (at && mask != "") return 0
			if (at) {
				mask = substr(text, at)
				text = substr(text, 1, at - 1)
			}
			all = bits4(text)
			if (all == "") all = bits6(text)
			if (all == "" || mask == "") return all != ""
			return mask ~ /^\/[0-9]+$/ && substr(mask, 2) + 0 <= length(all) && substr(all, substr(mask, 2) + 1) !~ /1/
		}'

# policy_compare HOPS: of lines `F FORBIDDEN` and `P PATTERN` the patterns that are refused: `is PATTERN`, `hop PATTERN`.
policy_compare() {
	awk -v hops="$1" "$AWK_BITS"'
		function contains(outer, inner) { return substr(inner, 1, length(outer)) == outer }
		function name(text) {
			sub(/^\.+/, "", text)
			sub(/\.+$/, "", text)
			return text
		}
		{ text = tolower(substr($0, 3)) }
		/^F/ {
			forbidden[++n] = text
			places[n] = bits(text)
			next
		}
		text ~ /^!/ { next }
		{
			place = bits(text)
			host = text
			if (text ~ /^\[.*\]:/) {
				host = substr(text, 2)
				sub(/\]:.*/, "", host)
				place = bits(host)
			}
			for (i = 1; i <= n; i++)
				if (text == forbidden[i] || places[i] != "" && place != "" && contains(places[i], place) ||
					places[i] == "" && place == "" && contains(reverse("." name(forbidden[i])), reverse("." name(host)))) {
					print "is", substr($0, 3)
					next
				}
			if (hops == "yes" && (text ~ /^\[.*\]:/ || place == "" && text !~ /^cidr:/)) print "hop", substr($0, 3)
		}
		function reverse(text,   i, back) {
			for (i = length(text); i > 0; i--) back = back substr(text, i, 1)
			return back
		}'
}

# usage_check LEASE START|'' SECONDS: windows of one account that follow each other are one window for max_minutes, unless there
# was a pause; and day_minutes is for all of them in 24 hours.
usage_check() {
	[ -n "$P_max_minutes$P_day_minutes" ] && [ -f "$STATE/usage" ] && state_exists || return 0
	[ -n "$2" ] || set -- "$1" "$(now)" "$3"
	usage_verdict=$(usage_windows "$1" "$2" "$3" | awk -v end="$(($2 + $3))" -v most="$((${P_max_minutes:-0} * 60))" \
		-v pause="$((${P_pause_minutes:-${P_max_minutes:-0}} * 60))" -v day="$((${P_day_minutes:-0} * 60))" '
		BEGIN { first = end }
		# the union of all windows, from the newest back
		{
			if ($2 < first - pause) broken = 1
			upto = $2 < first ? $2 : first
			if ($1 >= upto) next
			if (!broken) chain += upto - $1
			if (upto > end - 86400) today += upto - ($1 > end - 86400 ? $1 : end - 86400)
			first = $1
		}
		END {
			if (most && pause && chain > most) print "chain"
			else if (day && today > day) print "day"
		}') || usage_verdict=
	case $usage_verdict in
	chain) refuse policy "this host allows windows of at most $P_max_minutes minutes, and yours before this one count ($POLICY)" \
		"Wait for ${P_pause_minutes:-$P_max_minutes} minutes without a window, or ask for fewer." ;;
	day) refuse policy "this host allows one account at most $P_day_minutes minutes in 24 hours ($POLICY)" "Ask for fewer minutes, or wait." ;;
	esac
}

# usage_windows LEASE START SECONDS: `FROM TO` of this window and of the account's others that count still, the newest first.
usage_windows() {
	{
		printf '%s %s\n' "$2" "$(($2 + $3))"
		awk -v account="$ACCOUNT" -v lease="$1" -v since="$(usage_since)" '
			$1 == account && $2 != lease {
				from[$2] = $3
				to[$2] = $4
			}
			END { for (id in from) if (to[id] > from[id] && to[id] > since) print from[id], to[id] }' "$STATE/usage"
	} | sort -k 2,2nr
}

# usage_since: what ended before counts no more, neither for the day nor for the pause.
usage_since() { printf '%s' "$(($(now) - 90000 - ${P_pause_minutes:-${P_max_minutes:-0}} * 60))"; }

# usage_note ACCOUNT LEASE START END: it had that window; the last line of a lease counts.
usage_note() { printf '%s %s %s %s\n' "$1" "$2" "$3" "$4" >>"$STATE/usage" 2>/dev/null; }

# usage_recent: of the file `usage` the last line of each lease that counts still. No account can push lines out.
usage_recent() {
	awk -v since="$(usage_since)" '
		!($2 in last) { lease[++n] = $2 }
		{
			last[$2] = $0
			ended[$2] = $4
		}
		END { for (i = 1; i <= n; i++) if (ended[lease[i]] > since) print last[lease[i]] }' "$STATE/usage"
}
