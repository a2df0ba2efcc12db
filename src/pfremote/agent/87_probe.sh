# shellcheck shell=sh
# probe: what this host is like (docs/agent-protocol.md, "Facts"). Touches nothing.

verb_probe() {
	instance_load || refuse no-postfix "postconf does not answer for $CONF" "postconf -c $CONF mail_version"
	! refused || finish
	log_source
	config_paths
	boot_now
	uptime_now
	say uid "$MY_UID"
	say host "$(uname -n)"
	probe_time=$(date '+%s.%N %z')
	probe_seconds=${probe_time% *}
	say time "${probe_seconds%.%N}" # busybox knows no %N
	say utc_offset "${probe_time##* }"
	say uptime "$UPTIME"
	say boot "$BOOT"
	say version "$I_version"
	say config_directory "$CONF"
	say queue_directory "$I_queue"
	say myhostname "$I_myhostname"
	probe_main_cf
	if master_pid; then
		say running yes
		say master_pid "$MASTER"
	else
		say running no
	fi
	say log "$LOG"
	say log_why "$LOG_WHY"
	guard_levels
	say guards "$GUARDS"
	case " $I_parents " in
	*[\ ,]debug_peer_list[\ ,]*) say parent_domain yes ;;
	*) say parent_domain no ;;
	esac
	case $A_peers in
	*:*) say tables "$(run postconf -c "$CONF" -m 2>/dev/null | tr '\n' ' ')" ;;
	esac
	probe_parameters
	probe_peers
	log_free
	say log_free_percent "$FREE_PERCENT"
	say log_free_bytes "$FREE_BYTES"
	disk_free "$STATE_ROOT"
	say state_free_bytes "$FREE_BYTES"
	say_unexplained "${probe_verbose-}"
	if state_exists; then for probe_id in $(leases_all); do say_lease "$probe_id"; done; fi
}

probe_main_cf() {
	# shellcheck disable=SC2046 # three words
	set -- $(stat -c '%a %u:%g %h' -- "$MAIN" 2>/dev/null)
	say main_cf "$MAIN"
	say main_cf_mode "${1-}"
	say main_cf_owner "${2-}"
	say main_cf_links "${3-}"
	[ ! -L "$CONF/main.cf" ] || say main_cf_link "$(readlink -- "$CONF/main.cf")"
}

probe_parameters() {
	conf_read_raw "$CONF" && conf_known "$CONF" || return 0
	for probe_name in $PARAMETERS; do
		eval "probe_has=\$H_$probe_name probe_raw=\$R_$probe_name probe_now=\$E_$probe_name"
		if [ "$probe_has" = yes ]; then say param "$probe_name present $probe_raw"; else say param "$probe_name absent "; fi
		say effective "$probe_name $probe_now"
	done
	# shellcheck disable=SC2046,SC2086 # one pattern per parameter
	! master_cf_has 'debug_peer_|_tls_loglevel' || run postconf -c "$CONF" -x -P $(printf '*/*/%s ' $PARAMETERS) 2>/dev/null |
		while IFS= read -r probe_line; do say override "${probe_line%% = *} ${probe_line#* = }"; done
	probe_verbose=$(verbose_services)
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $probe_verbose && IFS=$BLANKS && set +f
	for probe_line in "$@"; do say verbose_service "$probe_line"; done
}

# probe_peers: what only this host can know of the peers: addresses of names, files.
probe_peers() {
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $A_peers && IFS=$BLANKS && set +f
	for probe_peer in "$@"; do
		probe_bare=${probe_peer#!}
		case $probe_bare in
		/*) probe_file "$probe_bare" ;;
		hash:/* | btree:/*) probe_file "${probe_bare#*:}.db" ;;
		lmdb:/*) probe_file "${probe_bare#*:}.lmdb" ;;
		cdb:/*) probe_file "${probe_bare#*:}.cdb" ;;
		*:/*) probe_file "${probe_bare#*:}" ;;
		*[!A-Za-z0-9.-]* | *[0-9].[0-9]*.[0-9]*.[0-9]* | .*) ;;
		*.*[A-Za-z]*) probe_resolve "$probe_bare" ;;
		esac
	done
}

probe_file() { [ -r "$1" ] || say missing_file "$1"; }

probe_resolve() {
	have getent || return 0
	probe_addresses=$(run getent ahosts "$1" 2>/dev/null | awk '!seen[$1]++ { printf "%s ", $1 }' | head -c 2000)
	say resolve "$1 $probe_addresses"
	for probe_address in $probe_addresses; do
		say reverse "$probe_address $(run getent hosts "$probe_address" 2>/dev/null | awk '{ print $2; exit }')"
	done
}

# say_unexplained [VERBOSE]: debugging that is on and that no lease explains: what main.cf had before ours, and -v flags.
say_unexplained() {
	unexplained_dir=$CONF
	if [ -d "$STATE/baseline" ] && state_exists; then
		tmp_make || return 0
		copy_make "$STATE/baseline/main.cf" "$TMP/unexplained" && unexplained_dir=$TMP/unexplained
	fi
	conf_known "$unexplained_dir" || return 0
	[ -z "$E_debug_peer_list" ] || say unexplained "debug_peer_list $E_debug_peer_list"
	for unexplained_name in smtpd_tls_loglevel smtp_tls_loglevel lmtp_tls_loglevel; do
		eval "unexplained_value=\$E_$unexplained_name"
		# level 1 is one line per handshake, which many sites want always
		is_number "$unexplained_value" && [ "$unexplained_value" -ge 2 ] && say unexplained "$unexplained_name $unexplained_value"
	done
	[ "$#" -gt 0 ] || set -- "$(verbose_services)"
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $1 && IFS=$BLANKS && set +f
	for unexplained_line in "$@"; do
		say unexplained "master.cf ${unexplained_line% *} has ${unexplained_line##* } -v"
	done
}
