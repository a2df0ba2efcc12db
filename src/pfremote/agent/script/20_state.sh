# shellcheck shell=sh
# The state folder: lock, leases, journal, history.

# state_name DIR: into KEY the folder and unit name of an instance; two directories never share one.
state_name() {
	KEY=''
	state_name_rest=${1#/}/
	while [ -n "$state_name_rest" ]; do
		KEY=$KEY${KEY:+-}${state_name_rest%%/*}
		state_name_rest=${state_name_rest#*/}
	done
	case ${1#/} in
	*[!A-Za-z0-9_./]*)
		if state_name_sum=$(printf '%s' "$1" | cksum 2>/dev/null) && [ -n "$state_name_sum" ]; then
			KEY=$(printf '%s' "$KEY" | tr -c 'A-Za-z0-9_.' '-')-${state_name_sum%% *}
		else # not every busybox has cksum: spell the signs out
			KEY=$(printf '%s' "${1#/}" | sed 's/_/_u/g; s/-/_m/g; s/+/_p/g; s/,/_c/g; s/@/_a/g; s/:/_d/g; s,/,-,g')
		fi
		;;
	esac
}

state_select() {
	# by its real path: two states for one main.cf would each take the other's debugging for the baseline
	CONF_REAL=$(path_real "$CONF") || CONF_REAL=$CONF
	state_name "$CONF_REAL"
	STATE=$STATE_ROOT/$KEY
}

# A folder that others own or a link could lead us anywhere: we write there as root.
state_is_ours() {
	[ -d "$1" ] && [ ! -L "$1" ] || return 1
	# shellcheck disable=SC2012,SC2046 # -n gives numbers; stat(1) differs between systems
	set -- "$1" $(ls -ldn -- "$1")
	[ "${4-}" = 0 ] || return 1
	case $2 in
	d???------*) ;;
	# Another script opened the folder for reading. Close it again: a wrong mode must not keep debugging on.
	d????-??-*) chmod 700 -- "$1" 2>/dev/null || : ;;
	*) return 1 ;;
	esac
}

state_make() {
	for state_make_dir in "$STATE_ROOT" "$STATE" "$STATE/leases"; do
		if [ -e "$state_make_dir" ] || [ -L "$state_make_dir" ]; then
			:
		elif [ "$state_make_dir" = "$STATE" ] && mkdir -- "$STATE" "$STATE/leases" 2>/dev/null; then
			return 0 # what we have just made is ours
		elif mkdir -- "$state_make_dir" 2>/dev/null; then
			continue
		fi
		[ -d "$state_make_dir" ] || return 1
		state_is_ours "$state_make_dir" || return 2
	done
}

# A folder that was seen to be ours can later be taken over by root only.
state_exists() {
	[ -d "$STATE/leases" ] || return 1
	if [ "${state_seen-}" != "$STATE" ]; then
		state_is_ours "$STATE_ROOT" && state_is_ours "$STATE" || return 1
		state_seen=$STATE
	fi
}

# lock SECONDS: one agent at a time. flock(1) dies with its holder; the link that stands in for it is made and names its
# holder in one step, so that a dead one is seen. A link needs no room on a full disk either.
lock() {
	lock_tries=$(($1 * 10))
	proc_me
	lock_me="$ME $IN_GUARD"
	if have flock; then
		# a failing redirection of exec would end the shell (POSIX, special built-ins)
		if (true >>"$STATE/lock") 2>/dev/null; then
			exec 9>>"$STATE/lock"
		elif [ -r "$STATE/lock" ]; then # a file system that turned read-only
			exec 9<"$STATE/lock"
		else
			return 1
		fi
		until flock -n 9; do
			[ "$lock_tries" -gt 0 ] || { exec 9>&-; return 1; }
			lock_tries=$((lock_tries - 1))
			sleep 0.1
		done
		ln -sfn "$lock_me" "$STATE/holder" 2>/dev/null || :
		LOCKED=yes
		return 0
	fi
	until ln -s "$lock_me" "$STATE/holder" 2>/dev/null; do
		if lock_holder && ! proc_is "$lock_pid" "$lock_start"; then
			lock_take_over "$lock_pid $lock_start $lock_guard"
			continue
		fi
		[ "$lock_tries" -gt 0 ] || return 1
		lock_tries=$((lock_tries - 1))
		sleep 0.1
	done
	LOCKED=yes
}

# lock_patient: the lock, for those who look and who end a window. A client's agent that has had it for a minute hangs, or its
# account stopped it: it is killed, as at a deadline. What it was doing is finished or undone.
lock_patient() {
	lock_patient_was=
	! lock_holder || lock_patient_was="$lock_pid $lock_start $lock_guard"
	lock 60 && return 0
	if lock_holder && [ "$lock_guard" = no ] && [ "$lock_pid $lock_start $lock_guard" = "$lock_patient_was" ] &&
		proc_is "$lock_pid" "$lock_start"; then
		kill_session "$lock_pid"
	fi
	lock 10
}

# lock_take_over DEAD: take the lock of a process that is gone. The rename decides between two processes that see the
# dead holder; a process that renamed a living holder gives the lock back.
lock_take_over() {
	mv -f -- "$STATE/holder" "$STATE/holder.$$" 2>/dev/null || return 0
	lock_taken=$(readlink -- "$STATE/holder.$$")
	rm -f -- "$STATE/holder.$$"
	if [ "$lock_taken" != "$1" ]; then ln -s "$lock_taken" "$STATE/holder" 2>/dev/null || :; fi
}

# lock_holder: who has the lock, or had it last: lock_pid, lock_start, lock_guard.
lock_holder() {
	# shellcheck disable=SC2046 # three words
	set -- $(readlink -- "$STATE/holder" 2>/dev/null)
	[ "$#" -eq 3 ] || return 1
	lock_pid=$1 lock_start=$2 lock_guard=$3
}

# lock_overdue: the lock, when a lease is over. A client's agent that was stopped or hangs (a disk, a name service) must
# not keep debugging on: it is killed, and what it was doing is finished or undone as after any crash. Guards are
# not killed: they are doing what we would do.
lock_overdue() {
	if lock 3; then return 0; fi
	lock_holder || return 1
	if [ "$lock_guard" = no ] && proc_is "$lock_pid" "$lock_start"; then
		kill_session "$lock_pid"
	fi
	lock 60
}

# kill_session PID: it, and what it started in its own session: a child that hangs keeps the lock that it was born with.
# Not what it started in sessions of their own, the watcher above all.
kill_session() {
	kill_session_all=" $1 " kill_session_id='' kill_session_more=yes
	while [ "$kill_session_more" = yes ]; do
		kill_session_more=no
		for kill_session_dir in "/proc/$1" /proc/[0-9]*; do
			kill_session_pid=${kill_session_dir#/proc/}
			{ read -r kill_session_line <"$kill_session_dir/stat"; } 2>/dev/null || continue
			kill_session_line=${kill_session_line##*) }
			kill_session_line=${kill_session_line#* }
			kill_session_parent=${kill_session_line%% *}
			kill_session_line=${kill_session_line#* * }
			[ -n "$kill_session_id" ] || kill_session_id=${kill_session_line%% *}
			[ "${kill_session_line%% *}" = "$kill_session_id" ] && [ "$kill_session_pid" != "$$" ] || continue
			case $kill_session_all in
			*" $kill_session_pid "*) ;;
			*" $kill_session_parent "*) kill_session_all="$kill_session_all$kill_session_pid " kill_session_more=yes ;;
			esac
		done
	done
	# shellcheck disable=SC2086 # one word per process
	kill -9 $kill_session_all 2>/dev/null || :
}

# unlock: and then say what was to be said meanwhile.
unlock() {
	if have flock; then
		exec 9>&-
	else
		rm -f -- "$STATE/holder"
	fi
	LOCKED=no
	[ -z "$SAID" ] || printf '%s' "$SAID" 2>/dev/null || :
	SAID=
}

# journal LEASE STEP [DETAIL]: written before the step is done, so that sweep knows what may have happened.
journal() {
	# The kernel's clock since the first look at the wall clock: date(1) for each of ten steps would cost more than they do.
	uptime_now
	[ -n "${JOURNAL_BASE-}" ] || JOURNAL_BASE=$(($(now) - UPTIME))
	printf '%s %s %s\n' "$((JOURNAL_BASE + UPTIME))" "$2" "${3-}" >>"$STATE/leases/$1/journal" 2>/dev/null || :
}

# note_history TEXT: to syslog first, which the disk of the state folder does not keep from us. Returns 1 where it could not
# be written into the history.
note_history() {
	audit "$1"
	printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$STATE/history.log" 2>/dev/null
}

is_lease_id() {
	case $1 in
	*[!0-9a-f]*) return 1 ;;
	esac
	[ "${#1}" -eq 12 ]
}

lease_exists() { [ -d "$STATE/leases/$1" ]; }

# A lease is active exactly as long as this file is there: removing it needs no disk space.
lease_active() { [ -e "$STATE/leases/$1/active" ]; }

leases_all() {
	for leases_all_dir in "$STATE"/leases/*; do
		[ -d "$leases_all_dir" ] && printf '%s\n' "${leases_all_dir##*/}"
	done
	return 0
}

# leases_active: their ids into ACTIVE. Not those that are over and that only a read-only state folder keeps in the list
# (lease_end_unwritten).
leases_active() {
	ACTIVE=
	for leases_active_file in "$STATE"/leases/*/active; do
		[ -e "$leases_active_file" ] || continue
		leases_active_file=${leases_active_file%/active}
		case $LEASES_OVER in
		*" ${leases_active_file##*/} "*) continue ;;
		esac
		ACTIVE="$ACTIVE${leases_active_file##*/} "
	done
}

any_active() {
	leases_active
	[ -n "$ACTIVE" ]
}

# lease_load ID: its spec and result into L_* variables.
lease_load() {
	L_account=0 L_installed=no L_owner='' L_from='' L_reason='' L_extended='' L_since=0 L_deadline=0 L_uptime=0 L_boot='' L_guard=''
	L_level='' L_smtpd_tls='' L_smtp_tls='' L_lmtp_tls=''
	L_stop_after='' L_max_log='' L_min_free='' L_drain=60 L_swapped_ticks=0
	mark_load "$1"
	L_why='' L_ended='' L_restored='' L_reload='' L_drained='' L_bytes=0 L_sessions=0
	for lease_load_file in spec swapped seen result drained; do
		[ -f "$STATE/leases/$1/$lease_load_file" ] || continue
		while IFS= read -r lease_load_line; do
			lease_load_value=${lease_load_line#*=}
			case ${lease_load_line%%=*} in
			account | installed | extended) eval "L_${lease_load_line%%=*}=\$lease_load_value" ;;
			owner) L_owner=$lease_load_value ;;
			from) L_from=$lease_load_value ;;
			reason) L_reason=$lease_load_value ;;
			since) L_since=$lease_load_value ;;
			deadline) L_deadline=$lease_load_value ;;
			uptime) L_uptime=$lease_load_value ;;
			boot) L_boot=$lease_load_value ;;
			guard) L_guard=$lease_load_value ;;
			level) L_level=$lease_load_value ;;
			smtpd_tls) L_smtpd_tls=$lease_load_value ;;
			smtp_tls) L_smtp_tls=$lease_load_value ;;
			lmtp_tls) L_lmtp_tls=$lease_load_value ;;
			stop_after) L_stop_after=$lease_load_value ;;
			max_log) L_max_log=$lease_load_value ;;
			min_free) L_min_free=$lease_load_value ;;
			drain) L_drain=$lease_load_value ;;
			swapped_ticks) L_swapped_ticks=$lease_load_value ;;
			why) L_why=$lease_load_value ;;
			ended) L_ended=$lease_load_value ;;
			restored) L_restored=$lease_load_value ;;
			reload) L_reload=$lease_load_value ;;
			drained) L_drained=$lease_load_value ;;
			bytes) L_bytes=$lease_load_value ;;
			sessions) L_sessions=$lease_load_value ;;
			esac
		done <"$STATE/leases/$1/$lease_load_file"
	done
}

# spec_set ID KEY VALUE: change one line of the spec in one step.
spec_set() {
	{
		grep -v "^$2=" "$STATE/leases/$1/spec"
		printf '%s=%s\n' "$2" "$3"
	} | put "$STATE/leases/$1/spec"
}

# lease_state ID: into LEASE_STATE.
lease_state() {
	if lease_active "$1"; then
		if [ -e "$STATE/leases/$1/armed" ]; then LEASE_STATE=armed; else LEASE_STATE=arming; fi
	else
		if [ -e "$STATE/leases/$1/armed" ]; then LEASE_STATE=reverted; else LEASE_STATE=aborted; fi
	fi
}

# peers_join FILE SEPARATOR: its lines into PEERS.
peers_join() {
	PEERS=
	while IFS= read -r peers_join_one; do PEERS=$PEERS${PEERS:+$2}$peers_join_one; done <"$1"
}

# lease_patterns ID: into PATTERNS the file of what stands in main.cf for its peers. A lease that was armed by an older agent
# has no such file: its peers stand there as they are.
lease_patterns() {
	PATTERNS=$STATE/leases/$1/patterns
	[ -f "$PATTERNS" ] || PATTERNS=$STATE/leases/$1/peers
}

# lease_over: of the lease that is loaded: is its time over? OVER says why: reboot or deadline. Both clocks count: a wall
# clock that was set back cannot prolong debugging, and after a reboot debugging ends whatever time was left.
lease_over() {
	boot_now
	OVER=reboot
	[ "$BOOT" = "$L_boot" ] || return 0
	OVER=deadline
	uptime_now
	[ "$(now)" -ge "$L_deadline" ] || [ "$UPTIME" -ge "$L_uptime" ]
}

# say_lease_counts ID: what the watcher counted (watch_count), and what armed counted before it.
say_lease_counts() {
	if first_line "$STATE/leases/$1/predating"; then say lease.predating "$LINE"; fi
	[ -f "$STATE/leases/$1/counts" ] || return 0
	while read -r say_lease_key say_lease_value; do
		case $say_lease_key in
		*/*) break ;; # processes, which come last
		connects | nameless | deliveries | heard) say "lease.$say_lease_key" "$say_lease_value" ;;
		esac
	done <"$STATE/leases/$1/counts"
}

# say_lease ID [NOW]: its block of the reply.
say_lease() {
	lease_load "$1"
	say lease "$1"
	say_lease_request "$1" "${2-}"
	say_lease_end "$1"
	if [ -f "$STATE/leases/$1/evidence" ]; then
		say lease.evidence $(($(wc -c <"$STATE/leases/$1/evidence")))
	else
		say lease.evidence none
	fi
}

# say_lease_request ID NOW: what was asked for, and how far it is.
say_lease_request() {
	lease_state "$1"
	say lease.state "$LEASE_STATE"
	say lease.owner "$L_owner"
	say lease.from "$L_from"
	say lease.reason "$L_reason"
	[ -z "$L_extended" ] || say lease.extended "$L_extended"
	say lease.since "$L_since"
	say lease.deadline "$L_deadline"
	say_lease_left=0
	if lease_active "$1"; then
		say_lease_left=$((L_deadline - ${2:-$(now)}))
		[ "$say_lease_left" -ge 0 ] || say_lease_left=0
	fi
	say lease.left "$say_lease_left"
	if [ -f "$STATE/leases/$1/peers" ]; then
		while IFS= read -r say_lease_peer; do say lease.peer "$say_lease_peer"; done <"$STATE/leases/$1/peers"
	fi
	[ -z "$L_level" ] || say lease.level "$L_level"
	[ -z "$L_smtpd_tls" ] || say lease.smtpd_tls "$L_smtpd_tls"
	[ -z "$L_smtp_tls" ] || say lease.smtp_tls "$L_smtp_tls"
	[ -z "$L_lmtp_tls" ] || say lease.lmtp_tls "$L_lmtp_tls"
	say lease.guard "$L_guard"
	if [ -n "$L_log" ]; then
		say lease.log "$L_log"
		say lease.log_why "$L_log_why"
	fi
	say lease.sessions "$L_sessions"
	say lease.bytes "$L_bytes"
	say_lease_counts "$1"
}

# say_lease_end ID: how it ended, as far as it has.
say_lease_end() {
	[ -z "$L_why" ] || say lease.why "$L_why"
	[ -z "$L_ended" ] || say lease.ended "$L_ended"
	[ -z "$L_restored" ] || say lease.restored "$L_restored"
	[ -z "$L_reload" ] || say lease.reload "$L_reload"
	[ -z "$L_drained" ] || say lease.drained "$L_drained"
	for say_lease_file in conflict verbose; do
		[ -f "$STATE/leases/$1/$say_lease_file" ] || continue
		while IFS= read -r say_lease_line; do
			say "lease.$say_lease_file" "$say_lease_line"
		done <"$STATE/leases/$1/$say_lease_file"
	done
}
