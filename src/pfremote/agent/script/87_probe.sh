# shellcheck shell=sh
# probe: what this host is like (docs/agent-protocol.md, "Facts"). Touches nothing.

verb_probe() {
	instance_load || refuse no-postfix "postconf does not answer for $CONF" "Look on the host with: postconf -c $CONF mail_version"
	log_check
	finish_refused
	source_judge
	log_check_link
	config_paths
	probe_host
	probe_postfix
	guard_levels
	say guards "$GUARDS"
	case $A_peers in
	*:*) say tables "$(run_last postconf -c "$CONF" -m 2>/dev/null | tr '\n' ' ')" ;;
	esac
	probe_parameters
	probe_peers
	log_free
	say log_free_percent "$FREE_PERCENT"
	say log_free_bytes "$FREE_BYTES"
	disk_free "$STATE_ROOT"
	say state_free_bytes "$FREE_BYTES"
	say_unexplained "${probe_verbose-}"
	say_instances
	if state_exists; then for probe_id in $(leases_all); do say_lease "$probe_id"; done; fi
}

probe_host() {
	boot_now
	uptime_now
	say uid "$MY_UID"
	first_line /proc/sys/kernel/hostname || LINE=$(uname -n)
	say host "$LINE"
	probe_time=$(date '+%s.%N %z')
	probe_seconds=${probe_time% *}
	say time "${probe_seconds%.%N}" # busybox knows no %N
	say utc_offset "${probe_time##* }"
	say uptime "$UPTIME"
	say boot "$BOOT"
}

probe_postfix() {
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
	case " $I_parents " in
	*[\ ,]debug_peer_list[\ ,]*) say parent_domain yes ;;
	*) say parent_domain no ;;
	esac
}

probe_main_cf() {
	# shellcheck disable=SC2046 # three words
	set -- $(stat -c '%a %u:%g %h' -- "$MAIN" 2>/dev/null)
	say main_cf "$MAIN"
	say main_cf_mode "${1-}"
	say main_cf_owner "${2-}"
	say main_cf_links "${3-}"
	if [ -L "$CONF/main.cf" ]; then say main_cf_link "$(readlink -- "$CONF/main.cf")"; fi
}

probe_parameters() {
	conf_read_raw "$CONF" && conf_known "$CONF" || return 0
	for probe_name in $PARAMETERS; do
		eval "probe_has=\$H_$probe_name probe_raw=\$R_$probe_name probe_now=\$E_$probe_name"
		if [ "$probe_has" = yes ]; then say param "$probe_name present $probe_raw"; else say param "$probe_name absent "; fi
		say effective "$probe_name $probe_now"
	done
	if master_cf_has 'debug_peer_|_tls_loglevel'; then
		# shellcheck disable=SC2046,SC2086 # one pattern per parameter
		run postconf -c "$CONF" -x -P $(printf '*/*/%s ' $PARAMETERS) 2>/dev/null |
			while IFS= read -r probe_line; do say override "${probe_line%% = *} ${probe_line#* = }"; done
	fi
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

# probe_file PATH: where the asker is not root, only of what every user could see.
probe_file() {
	if is_boundary; then
		path_look "$1"
		if [ "$LOOK" = missing ]; then say missing_file "$1"; fi
	elif [ ! -r "$1" ]; then
		say missing_file "$1"
	fi
}

probe_resolve() {
	have getent || return 0
	probe_addresses=$(run_last getent ahosts "$1" 2>/dev/null | awk '!seen[$1]++ { printf "%s ", $1 }' | tr -cd '0-9A-Fa-f:.% ' | head -c 2000)
	say resolve "$1 $probe_addresses"
	for probe_address in $probe_addresses; do
		# a name of the DNS, so of the address's owner
		say reverse "$probe_address $(run_last getent hosts "$probe_address" 2>/dev/null | awk '{ print $2; exit }' | tr -cd 'A-Za-z0-9._-' | head -c 255)"
	done
}

# say_unexplained [VERBOSE]: debugging that is on and that no lease explains: what main.cf had before ours, and what master.cf
# has with -o and -v.
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
	say_unexplained_options
	[ "$#" -gt 0 ] || set -- "$(verbose_services)"
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $1 && IFS=$BLANKS && set +f
	for unexplained_line in "$@"; do
		say unexplained "master.cf ${unexplained_line% *} has ${unexplained_line##* } -v"
	done
}

# say_unexplained_options: a service's own -o debug_peer_list, or a TLS level as above. An empty list or a lower level is no
# debugging.
say_unexplained_options() {
	master_cf_has 'debug_peer_list|_tls_loglevel' || return 0
	run postconf -c "$CONF" -x -P '*/*/debug_peer_list' '*/*/smtpd_tls_loglevel' '*/*/smtp_tls_loglevel' '*/*/lmtp_tls_loglevel' 2>/dev/null |
		sed -n 's,^\(.*\)/\([a-z_]*\) = \(..*\)$,\1 \2 \3,p' | while read -r options_service options_name options_value; do
		case $options_name:$options_value in
		debug_peer_list:* | *_tls_loglevel:[2-9]*) say unexplained "master.cf $options_service has -o $options_name=$options_value" ;;
		esac
	done
}

# instances_all: the directories of all other instances of this host, running or in multi_instance_directories, into INSTANCES.
instances_all() {
	instances_others
	# shellcheck disable=SC2046,SC2086 # one word each
	set -- $INSTANCES $(run_last postmulti -l 2>/dev/null | awk '{ print $NF }')
	INSTANCES=
	for instances_dir in "$@"; do
		instances_dir=$(readlink -f -- "$instances_dir") || continue
		case " $CONF_REAL $INSTANCES" in
		*" $instances_dir "*) ;;
		*) INSTANCES="$INSTANCES$instances_dir " ;;
		esac
	done
}

# say_instances: what there is of debugging in the other instances of this host, where the caller looks at the whole host and
# names no instance, lease or peer: leases of ours, and what no lease explains.
say_instances() {
	[ -z "$A_instance$A_lease$A_peers" ] || return 0
	instances_all
	for instances_dir in $INSTANCES; do
		say instance "$instances_dir"
		say_instance "$instances_dir" | sed -n "s,^unexplained=,elsewhere=$instances_dir unexplained ,p; s,^dirty=,elsewhere=$instances_dir dirty ,p"
	done
}

# say_instance DIR: only in a pipe, so that what is set here for another instance ends with it.
say_instance() {
	CONF=$1 CONF_REAL=$1 TMP='' I_version='' E_OF='' state_seen=''
	state_name "$CONF"
	STATE=$STATE_ROOT/$KEY
	MAIN=$(readlink -f -- "$CONF/main.cf") && instance_load || return 0
	config_paths
	say_unexplained
	look_clean
	tmp_drop
}
