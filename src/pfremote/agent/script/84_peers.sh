# shellcheck shell=sh
# The peers of a request, and the patterns that Postfix gets in their place. A peer file is read here, as Postfix would
# read it (util/match_list.c), and its patterns go into main.cf instead of its name: Postfix itself follows every word that
# begins with "/", dies of a folder or of a lone "!" in there, and quotes in its log what it takes for a table.

PEERS_MOST=1000   # patterns of one lease
PEERS_BYTES=32768 # bytes of all of them, and of one file: postconf gets those of all leases as one argument (execve(2): 131072)
PEERS_FILES=32    # files that are read
PEERS_DEPTH=8     # files in files

# peers_check: refuse what would break Postfix, match nothing by its form, or be understood as something else; A_patterns
# gets the patterns, one a line.
peers_check() {
	A_patterns='' peers_count=0 peers_files=0
	[ -n "$A_peers" ] || refuse no-peer "no peer was given" "Name at least one peer."
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $A_peers && IFS=$BLANKS && set +f
	if [ "$#" -gt 64 ]; then
		refuse too-many-peers "more than 64 peers"
		return
	fi
	for peers_check_peer in "$@"; do
		peers_where="peer $peers_check_peer" peers_depth=0
		peer_check "$peers_check_peer"
	done
	if [ "$peers_count" -eq 0 ] && [ "$EXIT" -eq 0 ]; then
		refuse no-peer "the peer file holds no pattern" "Write one on each line; what follows # is a comment."
	elif [ "$peers_count" -gt "$PEERS_MOST" ] || [ "${#A_patterns}" -gt "$PEERS_BYTES" ]; then
		refuse too-many-peers "the peer files hold more than $PEERS_MOST patterns, or more than $PEERS_BYTES bytes of them" \
			"Make a table of them: cidr:/path or hash:/path."
	else
		nets_check "$A_patterns"
	fi
}

# nets_check PATTERNS: an address or network that Postfix cannot read makes each look at the list end there, so that what comes
# after it, perhaps another lease's, matches nothing (match_ops.c, match_hostaddr()).
nets_check() {
	case $1 in
	*[/:]*) ;;
	*) return 0 ;;
	esac
	nets_bad=$(nets_find_bad "$1")
	[ -z "$nets_bad" ] || refuse bad-peer "peer $nets_bad is no address or network: Postfix would read no further than it" \
		"Write it like 192.0.2.0/24, or [2001:db8::]/32."
}

# nets_find_bad PATTERNS: the first of these. Only what consists of such signs is read as an address at all, and neither a table
# nor a next hop with its port is.
nets_find_bad() {
	printf '%s\n' "$1" | awk "$AWK_BITS"'
		{ sub(/^!/, "") }
		$0 !~ "^[][0-9A-Fa-f.:/]*$" || $0 !~ "[/:]" || $0 ~ "^[^[]*:" || index($0, "]:") { next }
		!is_net(tolower($0)) {
			print
			exit
		}'
}

# peer_check WORD: a peer, or a word of a peer file.
peer_check() {
	peer_bare=$1 peer_not=
	while :; do
		case $peer_bare in
		!!*) peer_bare=${peer_bare#!!} ;;
		!*) peer_bare=${peer_bare#!} peer_not='!' ;;
		*) break ;;
		esac
	done
	if [ -z "$peer_bare" ]; then
		refuse bad-peer "$peers_where is a lone !, which stops every smtpd (debug_peer_list: no pattern after '!')" "Write !PATTERN."
	elif ! peer_check_form "$peer_bare"; then
		refuse bad-peer "$peers_where has characters that Postfix would read as something else, or is too long" \
			"Use letters, digits and these signs only: . - _ : / [ ] !."
	else
		peer_check_kind
	fi
}

# peer_check_kind: of peer_bare, which has a good form. A pattern is kept, a file is read.
peer_check_kind() {
	if [ "$A_all_peers" = no ] && peer_is_all "$peer_bare"; then
		refuse all-peers "$peers_where matches every client and server" "Add --all-peers if that is what you want."
		return
	fi
	case $peer_bare in
	static:* | [\[]*) ;;
	/*)
		peer_file "$peer_bare" "$peer_not"
		return
		;;
	*:*) table_check "$peer_bare" ;;
	esac
	peers_count=$((peers_count + 1))
	[ "$peers_count" -gt "$PEERS_MOST" ] || A_patterns=$A_patterns$peer_not$peer_bare$NL
}

# peer_check_form PEER: can it stand in debug_peer_list at all? Only plain characters: everything else Postfix would
# read as a separator, a variable, a comment or a quote. Braces only where Postfix itself has them: inline tables, and
# one pair: behind its end another pattern could stand.
peer_check_form() {
	[ "${#1}" -le 255 ] || return 1
	case $1 in
	-* | inline:'{'*[{}]*'}') return 1 ;;
	inline:'{'*'}') peer_check_bad='[!A-Za-z0-9._:/@%+~=,{} -]' ;;
	*) peer_check_bad='[!A-Za-z0-9._:/@%+~=-]' ;;
	esac
	peer_check_rest=$1
	case $1 in
	# brackets cannot stand inside a bracket expression: look at the rest without them
	*[][]*) peer_check_unbracket "$1" ;;
	esac
	# shellcheck disable=SC2254 # a pattern on purpose
	case $peer_check_rest in
	'' | *$peer_check_bad*) return 1 ;;
	esac
}

# peer_check_unbracket PEER: into peer_check_rest without its brackets, and without a program: a file may have a thousand.
peer_check_unbracket() {
	IFS='[]'
	set -f
	# shellcheck disable=SC2086 # split at the brackets
	set -- $1
	set +f
	IFS=
	peer_check_rest=$*
	IFS=$BLANKS
}

# peer_is_all PATTERN: does it match every client or server?
peer_is_all() {
	case $1 in
	static:*) return 0 ;;
	/* | [!\[]*:*) return 1 ;;
	*/*) ;;
	*) return 1 ;;
	esac
	peer_mask=${1##*/}
	case ${peer_mask%]} in
	'' | *[!0]*) return 1 ;;
	esac
}

# peer_file FILE NOT: check it, and every word of it. A word may be a file again: the variables of this function are
# used up before the words are looked at, and what comes after a word waits in the shell's own arguments.
peer_file() {
	peers_files=$((peers_files + 1))
	peers_depth=$((peers_depth + 1))
	if [ "$peers_files" -gt "$PEERS_FILES" ] || [ "$peers_depth" -gt "$PEERS_DEPTH" ]; then
		refuse bad-peer "$peers_where leads to more files than are read, or to itself" "Write the patterns into one file."
	elif peer_file_check "$1"; then
		peer_file_words "$1" "$2"
	fi
	peers_depth=$((peers_depth - 1))
}

# peer_file_check FILE: is it a plain file that the asker may have us read? Postfix logs the patterns that it compares
# with, and main.cf is public: through the installed agent no file that not every user may read.
peer_file_check() {
	if is_boundary; then
		path_look "$1"
		look_allows file || return 1
	fi
	case $(readlink -f -- "$1") in
	/dev/* | /proc/* | /sys/*) LOOK=other && look_allows file || return 1 ;;
	esac
	if [ ! -f "$1" ]; then
		refuse missing-file "$peers_where names the file $1, which is none on this host" "Create it, or name the peers."
		return 1
	fi
	if [ "$(($(head -c $((PEERS_BYTES + 1)) -- "$1" | wc -c)))" -gt "$PEERS_BYTES" ]; then
		refuse too-many-peers "$peers_where names a file of more than $PEERS_BYTES bytes" "Make a table of it: cidr:/path or hash:/path."
		return 1
	fi
}

# look_allows KIND: after path_look: may an account have that file or table for its peers? Or the refusal.
look_allows() {
	case $LOOK in
	changeable | link)
		refuse unsafe-file "$peers_where names a $1 that others than root could change, or that stands behind a link" \
			"Use a $1 of root's in a folder of root's, by its real path."
		return 1
		;;
	other)
		refuse unsafe-file "$peers_where names a $1 that is a device, a pipe, or the kernel's" "Use a plain file."
		return 1
		;;
	private)
		refuse private-file "$peers_where names a $1 that not every user may read: Postfix would quote it in the log" \
			"Name the peers, or let every user read it (chmod a+r)."
		return 1
		;;
	esac
}

# peer_file_words FILE NOT
peer_file_words() {
	peer_file_text=$(peer_file_read "$1") || peer_file_text=
	set -- "$1" "$2" "$peers_where" "$peer_file_text$NL"
	while [ -n "$4" ]; do
		peer_file_line=${4%%"$NL"*}
		set -- "$1" "$2" "$3" "${4#*"$NL"}"
		[ -n "$peer_file_line" ] || continue
		peers_where="peer file $1, line ${peer_file_line%% *},"
		peer_check "$2${peer_file_line#* }"
		# more are not looked at: each may cost a program
		[ "$EXIT" -eq 0 ] && [ "$peers_count" -le "$PEERS_MOST" ] || break
	done
	peers_where=$3
}

# peer_file_read FILE: `LINE WORD` for each word, as match_list_parse() takes them: a line that begins with # is none, a
# word that does ends its line; commas and blanks part words, but not inside braces (mystrtokq()). A NUL becomes a sign that no
# word may have.
peer_file_read() {
	tr '\000' '\001' <"$1" | awk '
		/^#/ { next }
		{
			word = ""
			level = 0
			gsub(/[\t\r]/, " ")
			for (i = 1; i <= length($0) + 1; i++) {
				sign = i > length($0) ? " " : substr($0, i, 1)
				if (i > length($0)) level = 0
				if (sign == "{") level++
				else if (sign == "}" && level > 0) level--
				if (level > 0 || sign != " " && sign != ",") {
					word = word sign
					continue
				}
				if (word ~ /^#/) next
				if (word != "") print FNR, word
				word = ""
			}
		}'
}

# table_check TABLE: one that cannot be opened makes the list useless without stopping mail: ask it one key. What the
# program says of a file is not passed on, it may quote it.
table_check() {
	case " $P_tables " in
	*" $1 "*) ;;
	*) if is_boundary; then table_is_safe "$1" || return 0; fi ;;
	esac
	if run postmap -c "$CONF" -q pfremote.invalid "$1" 2>&1 >/dev/null | grep -qiE 'fatal|error|unsupported|warning'; then
		refuse bad-table "$peers_where names a table that cannot be used" \
			"Write IPv6 addresses in brackets. For a table, postconf -m lists the types and postmap(1) makes the file."
	fi
}

# table_is_safe TABLE, or its refusal. Of a table that is named by an account, and not by root, only those that are in
# themselves or in a file: others talk to what their name says, as root (tcp, unix, socketmap, proxy, fail), or have a
# file with a password (mysql, pgsql, ldap, sqlite), which a service with -v logs. Only files that every user may read, and
# that stay what they are: what opens them is root as well. /etc/pfremote.conf can allow others by name.
table_is_safe() {
	table_bare=${1#proxy:}
	case $1 in
	static:* | inline:*) return 0 ;;
	esac
	case ${table_bare#*:} in
	/*) table_files_safe "${table_bare#*:}" || return 1 ;;
	esac
	case $1 in
	hash:/* | btree:/* | lmdb:/* | cdb:/* | dbm:/* | sdbm:/* | texthash:/* | cidr:/* | regexp:/* | pcre:/*) return 0 ;;
	esac
	refuse unsafe-table "$peers_where names a table of a kind that only root may name" \
		"Use a table that is a file, name the peers, or let root allow it in $POLICY with: allow_table = TYPE:NAME"
	return 1
}

# table_files_safe PATH: the folder, the file, and what postmap(1) makes of it.
table_files_safe() {
	path_look "${1%/*}"
	look_allows table || return 1
	for table_file in "$1" "$1.db" "$1.lmdb" "$1.cdb" "$1.pag" "$1.dir"; do
		[ -e "$table_file" ] || [ -L "$table_file" ] || continue
		path_look "$table_file"
		look_allows table || return 1
	done
}
