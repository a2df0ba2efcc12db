# shellcheck shell=sh
# Where mail to a peer would leave this host: for a delivery debug_peer_list is compared with the next hop and with the name
# of the server, and either may be another name than the one that was asked for. Only check=yes asks; nothing is sent.

# route_peers: a warning for each peer whose deliveries Postfix knows under another name.
route_peers() {
	route_tables=$(run_last postconf -c "$CONF" -x -h transport_maps 2>/dev/null | route_split)
	route_relayhost=$(run_last postconf -c "$CONF" -x -h relayhost 2>/dev/null)
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $A_peers && IFS=$BLANKS && set +f
	for route_peer in "$@"; do
		case $route_peer in
		!* | .* | *[!A-Za-z0-9.-]*) ;;
		*.*[A-Za-z]*) route_peer "$route_peer" ;;
		esac
	done
}

route_peer() {
	route_find "$1"
	if [ -z "$ROUTE" ]; then
		route_servers "$1"
		return
	fi
	route_host=${ROUTE#[}
	route_host=${route_host%%[]:]*}
	case .$route_host in
	*."$1") return ;;
	esac
	warn next-hop "mail to $1 leaves this host through $ROUTE ($ROUTE_WHY), and it is this that debug_peer_list is compared with" \
		"For deliveries add --peer '$ROUTE' --peer $route_host."
}

# route_split: the tables of a list, one a line; a table in braces has commas and blanks of its own (DATABASE_README).
route_split() {
	awk '{
		for (i = 1; i <= length($0); i++) {
			char = substr($0, i, 1)
			if (char == "{") depth++
			if (char == "}") depth--
			if (!depth && char ~ /[, \t]/) char = "\n"
			printf "%s", char
		}
		print ""
	}'
}

# route_find DOMAIN: its next hop into ROUTE where that is another one than the domain, and what says so into ROUTE_WHY
# (transport(5), relayhost of postconf(5)).
route_find() {
	ROUTE=$route_relayhost ROUTE_WHY=relayhost
	# a table that opens files of others is not asked by an agent that others may run
	! is_boundary || return 0
	# shellcheck disable=SC2086 # one a line
	route_domain=$1 && set -f && IFS=$NL && set -- $route_tables && IFS=$BLANKS && set +f
	for route_table in "$@"; do
		route_value=$(route_keys "$route_domain" | while read -r route_key; do
			! run postmap -c "$CONF" -q "$route_key" "$route_table" 2>/dev/null || break
		done)
		[ -n "$route_value" ] || continue
		ROUTE_WHY="transport_maps: $route_value"
		case $route_value in
		*:?*) ROUTE=${route_value#*:} ;;
		*) ROUTE= ;; # another transport for the domain itself
		esac
		return
	done
}

# route_keys DOMAIN: what transport(5) looks up, in its order.
route_keys() {
	printf '%s\n' "$1"
	route_rest=$1
	while :; do
		case $route_rest in
		*.*) route_rest=${route_rest#*.} ;;
		*) break ;;
		esac
		printf '.%s\n' "$route_rest"
	done
	printf '*\n'
}

# route_servers DOMAIN: before Postfix 3.6 only the servers' names are compared, so they are asked for, where a program for
# that is there.
route_servers() {
	case $I_version in
	2.* | 3.[0-5] | 3.[0-5][.-]*) ;;
	*) return 0 ;;
	esac
	if have dig; then
		set -- "$1" "$(run_last dig +short +time=2 +tries=1 MX "$1" 2>/dev/null | awk '$2 ~ /\.$/ { sub(/\.$/, "", $2); print $2 }')"
	elif have host; then
		set -- "$1" "$(run_last host -W 2 -t MX "$1" 2>/dev/null | sed -n 's/^.* mail is handled by [0-9]* \(.*\)\.$/\1/p')"
	else
		return 0
	fi
	for route_server in $2; do
		case .$route_server in
		*."$1") ;;
		*) warn mail-server "a mail server of $1 is $route_server, which the peer $1 does not match before Postfix 3.6" \
			"For deliveries add --peer $route_server." ;;
		esac
	done
}
