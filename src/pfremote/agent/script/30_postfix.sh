# shellcheck shell=sh
# One Postfix instance: where it is, what its main.cf says, its processes, its reload.

# instance_select NAME|DIR|'': sets CONF. A name is one that `postmulti -l` knows (postmulti(1)).
instance_select() {
	if ! have postconf; then
		refuse no-postfix "Postfix is not installed on this host (no postconf)" "Choose a host that runs Postfix."
		finish
	fi
	case $1 in
	# With a main.cf that cannot be read only the built-in answer is left (-d), and what we had armed must still be ended.
	'')
		instance_ask
		CONF=$I_directory
		[ -n "$CONF" ] || CONF=$(run_last postconf -d -h config_directory 2>/dev/null) || CONF=
		;;
	# its real path, once: the owner of a link on the way could lead each look to another place
	/*) CONF=$(path_real "$1") || CONF=$1 ;;
	*) CONF=$(run_last postmulti -l 2>/dev/null | awk -v name="$1" '$1 == name { print $NF; exit }') ;;
	esac
	CONF=${CONF%/}
	state_select
	instance_refuse "$1"
	MAIN=$CONF_REAL/main.cf
	if [ -L "$MAIN" ]; then MAIN=$(readlink -f -- "$MAIN") || MAIN=$CONF/main.cf; fi
}

# instance_may_be_named ASKED: Postfix runs programs that main.cf names, as root: through an installed agent only a
# directory that Postfix knows, or that is root's alone. What is in a folder that not every user may enter is not told.
instance_may_be_named() {
	is_boundary && [ -n "$1" ] || return 0
	path_look "$CONF"
	if [ "$LOOK" = folder ]; then
		[ -e "$CONF/main.cf" ] || return 0
		if path_is_roots "$CONF/main.cf"; then return 0; fi
	fi
	instance_is_known
}

# instance_refuse ASKED: what was asked for is no instance, or none that the asker may name.
instance_refuse() {
	if ! instance_may_be_named "$1"; then
		refuse unsafe-instance "$1 is no instance that this Postfix knows, and not root's alone" \
			"Register it with postmulti -e import, or make it root's own (chown -R root, chmod go-w,a+x)."
		finish
	fi
	# A main.cf that was deleted in a window is still ours to bring back.
	if [ -z "$CONF" ] || { [ ! -f "$CONF/main.cf" ] && [ ! -d "$STATE/baseline" ]; }; then
		instance_names=$(run_last postmulti -l 2>/dev/null | awk '{ printf "%s ", $1 == "-" ? $NF : $1 }')
		refuse no-instance "there is no main.cf for instance ${1:-/etc/postfix}" \
			"Name a configuration directory with --instance${instance_names:+, or one of: $instance_names}."
		finish
	fi
	case $CONF$CONF_REAL in
	*[!A-Za-z0-9_./+,@:-]* | */../* | */..)
		refuse bad-instance "the configuration directory has characters that are not supported" \
			"Use a path of letters, digits and these signs: . _ - / + , @ :."
		finish
		;;
	esac
}

instance_is_known() {
	[ -n "$CONF" ] || return 1
	for instance_known in $(run postconf -h config_directory 2>/dev/null; run postmulti -l 2>/dev/null | awk '{ print $NF }'); do
		[ "$(readlink -f -- "$instance_known")" != "$CONF_REAL" ] || return 0
	done
	return 1
}

# conf_read DIR: what DIR/main.cf sets explicitly into H_name (yes/no) and R_name (raw value), and the
# expanded value with defaults into E_name, for our parameters.
conf_read() {
	conf_read_raw "$1" || return 1
	if conf_plain; then E_OF=$1; else conf_read_expanded "$1"; fi
}

# conf_plain: E_name from what is explicit and the defaults (global/mail_params.h); starting postconf once more is only
# needed where a value has a variable in it.
conf_plain() {
	case $R_debug_peer_list$R_debug_peer_level$R_smtpd_tls_loglevel$R_smtp_tls_loglevel$R_lmtp_tls_loglevel in
	*\$*) return 1 ;;
	esac
	E_debug_peer_list='' E_debug_peer_level=2 E_smtpd_tls_loglevel=0 E_smtp_tls_loglevel=0 E_lmtp_tls_loglevel=0
	for conf_plain_name in $PARAMETERS; do
		eval "[ \"\$H_$conf_plain_name\" = no ] || E_$conf_plain_name=\$R_$conf_plain_name"
	done
}

# conf_read_raw DIR: the first half of it. A name that stands nowhere in the file is not set there, and grep takes a tenth of the
# time that postconf takes.
conf_read_raw() {
	grep -qE 'debug_peer_|_tls_loglevel' "$1/main.cf" 2>/dev/null
	case $? in
	1) conf_read_eval R '' ;;
	*) conf_ask_raw "$1" ;;
	esac
}

conf_ask_raw() {
	# shellcheck disable=SC2086 # a list of names
	conf_read_text=$(run_last postconf -c "$1" -n $PARAMETERS 2>/dev/null) || { conf_read_eval R ''; return 1; }
	conf_read_eval R "$conf_read_text"
}

conf_read_expanded() {
	E_OF=$1
	# shellcheck disable=SC2086 # a list of names
	conf_read_text=$(run_last postconf -c "$1" -x $PARAMETERS 2>/dev/null) || { conf_read_eval E ''; return 1; }
	conf_read_eval E "$conf_read_text"
}

# conf_known DIR: the same, unless that is what was read last and nothing of ours was written since.
conf_known() { [ "${E_OF-}" = "$1" ] || conf_read_expanded "$1"; }

# conf_read_eval KIND TEXT: KIND_name for each of our parameters, empty where TEXT has none, and for the kind R also H_name.
# No here-document here or anywhere else: bash keeps them in /tmp, which may be full.
conf_read_eval() {
	conf_read_kind=$1
	for conf_read_name in $PARAMETERS; do
		eval "${conf_read_kind}_$conf_read_name="
		[ "$conf_read_kind" = E ] || eval "H_$conf_read_name=no"
	done
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $2 && IFS=$BLANKS && set +f
	for conf_read_line in "$@"; do
		conf_read_name=${conf_read_line%% = *}
		case " $PARAMETERS " in
		*" ${conf_read_name%% *} "*) ;;
		*) continue ;;
		esac
		conf_read_name=${conf_read_name%% *}
		conf_read_value=${conf_read_line#"$conf_read_name ="}
		conf_read_value=${conf_read_value# }
		eval "${conf_read_kind}_$conf_read_name=\$conf_read_value"
		[ "$conf_read_kind" = E ] || eval "H_$conf_read_name=yes"
	done
}

# instance_load: the values that logging and process handling need, unless they are known already.
instance_load() {
	[ -n "${I_version-}" ] || instance_ask -c "$CONF"
	[ -n "$I_version" ]
}

# instance_ask [-c DIR]: those values, and the expanded ones of our parameters, in one call, since starting postconf is most
# of what a look costs.
instance_ask() {
	I_version='' I_queue='' I_maillog='' I_syslog_name=postfix I_facility=mail I_myhostname='' I_parents='' I_directory=''
	# shellcheck disable=SC2086 # a list of names
	instance_ask_text=$(run_last postconf "$@" -x config_directory mail_version queue_directory maillog_file syslog_name \
		syslog_facility myhostname parent_domain_matches_subdomains $PARAMETERS 2>/dev/null) || instance_ask_text=
	conf_read_eval E "$instance_ask_text"
	# shellcheck disable=SC2086 # one word per line
	set -f && IFS=$NL && set -- $instance_ask_text && IFS=$BLANKS && set +f
	for instance_line in "$@"; do
		instance_value=${instance_line#*=}
		instance_value=${instance_value# }
		case ${instance_line%% *} in
		config_directory) I_directory=$instance_value ;;
		mail_version) I_version=$instance_value ;;
		queue_directory) I_queue=$instance_value ;;
		maillog_file) I_maillog=$instance_value ;;
		syslog_name) I_syslog_name=$instance_value ;;
		syslog_facility) I_facility=$instance_value ;;
		myhostname) I_myhostname=$instance_value ;;
		parent_domain_matches_subdomains) I_parents=$instance_value ;;
		esac
	done
	E_OF=$I_directory
}

# master_pid: into MASTER the pid of the running master(8) of this instance; returns 1 when it is stopped.
master_pid() {
	{ read -r MASTER <"$I_queue/pid/master.pid"; } 2>/dev/null || return 1
	{ read -r master_pid_comm <"/proc/$MASTER/comm"; } 2>/dev/null || return 1
	# a zombie, too, has a name, and in a container without an init it stays
	[ "$master_pid_comm" = master ] && proc_start "$MASTER"
}

# master_cf_has EXPRESSION: a look that is quicker than to have postconf read the file. Most files have nothing of all that is
# ever asked for: one look says so for all questions.
MASTER_CF_EVER='(^|[[:blank:]])-[A-Za-z]*v|debug_peer_|_tls_loglevel|_checks'
master_cf_has() {
	if [ "${master_cf_plain-}" = "$CONF" ]; then return 1; fi
	if [ "${master_cf_rich-}" != "$CONF" ]; then
		if ! grep -qE -- "$MASTER_CF_EVER" "$CONF/master.cf" 2>/dev/null; then
			master_cf_plain=$CONF
			return 1
		fi
		master_cf_rich=$CONF
	fi
	grep -qE -- "$1" "$CONF/master.cf" 2>/dev/null
}

# mail_processes: `PID NAME STARTTICKS` of each process of MAIL_PROGRAMS.
mail_processes() {
	master_pid || return 0
	for mail_processes_dir in /proc/[0-9]*; do
		{ read -r mail_processes_line <"$mail_processes_dir/stat"; } 2>/dev/null || continue
		mail_processes_name=${mail_processes_line#*(}
		mail_processes_name=${mail_processes_name%%)*}
		case "|$MAIL_PROGRAMS|" in
		*"|$mail_processes_name|"*) ;;
		*) continue ;;
		esac
		mail_processes_line=${mail_processes_line##*) }
		# shellcheck disable=SC2086 # split into fields on purpose
		set -- $mail_processes_line
		[ "$2" = "$MASTER" ] || continue
		printf '%s %s %s\n' "${mail_processes_dir#/proc/}" "$mail_processes_name" "${20}"
	done
}

# ticks_now: now, on the clock of the start times of processes: when one starts that we start now. Not /proc/uptime, which is
# the container's own under lxcfs while start times are the machine's.
ticks_now() {
	TICKS=$(
		read -r ticks_line </proc/self/stat
		ticks_line=${ticks_line##*) }
		# shellcheck disable=SC2086 # split into fields on purpose
		set -- $ticks_line
		printf '%s' "${20-0}"
	)
}

# postfix_reload: sets RELOAD to seen, unseen, stopped or failed. `postfix reload` returns before master
# has done it; only master's own log line is the proof (postfix-script, master/master_sig.c).
postfix_reload() {
	RELOAD=stopped
	master_pid || return 0
	log_mark_here
	if ! run postfix -c "$CONF" reload >/dev/null 2>&1; then
		RELOAD=failed
		return 1
	fi
	RELOAD=unseen
	[ "$LOG" != elsewhere ] || return 0
	postfix_reload_tries=30 postfix_reload_nap=0.02
	while [ "$postfix_reload_tries" -gt 0 ]; do
		# the line takes a moment to arrive, and a look costs more than the nap
		sleep "$postfix_reload_nap"
		postfix_reload_nap=0.1
		if log_after_here | grep -qa "/master\[$MASTER\]: reload -- "; then
			RELOAD=seen
			return 0
		fi
		postfix_reload_tries=$((postfix_reload_tries - 1))
	done
}
