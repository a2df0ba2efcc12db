# shellcheck shell=sh
# What everything else stands on: environment, replies, running programs, time, processes.
# Every function prefixes its variables with its own name: POSIX sh has no local variables.

PROTOCOL=1
STATE_ROOT=/var/lib/pfremote
# The programs that debug_peer_list can make verbose (global/debug_peer.c has these callers and no others).
MAIL_PROGRAMS='smtpd|smtp|lmtp|qmqpd'
PARAMETERS='debug_peer_list debug_peer_level smtpd_tls_loglevel smtp_tls_loglevel lmtp_tls_loglevel'

base_init() {
	set -u
	limits_raise
	oom_reset
	umask 077
	PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin
	LC_ALL=C
	export PATH LC_ALL
	# MAIL_CONFIG would make postconf read another instance than the one we were asked for.
	unset MAIL_CONFIG CDPATH ENV BASH_ENV TMPDIR
	# What is looked up once and then known must not be known from the environment.
	unset ME E_OF I_version JOURNAL_BASE MASTER state_seen cool_uptime guard_reload revert_after collect_lack probe_verbose payload_private
	unset master_cf_plain master_cf_rich
	# A vanished client must not stop us half way: writes to it may fail, we may not. Nor may a key of the caller's terminal
	# suspend us while we hold the lock: then no other account could do anything.
	trap '' HUP PIPE TSTP TTIN TTOU
	cd / || exit 4
	NL='
'
	BLANKS=" $(printf '\t')$NL"
	IFS=$BLANKS
	TMP=
	EXIT=0
	FINISHED=no
	INSIST=no
	LEASES_OVER=
	LOCKED=no SAID=
	watch_tick=0
	trap 'base_died' EXIT
}

# An end that we did not foresee is said, so that the client does not take silence for success.
base_died() {
	[ "$FINISHED" = no ] || return 0
	tmp_drop
	say failed "internal the agent ended unexpectedly in verb ${main_verb-}"
	say end failed
	[ "$LOCKED" = no ] || unlock
}

# An installed agent may be run as root by people who may run nothing else as root (make_helper in install.py sets this).
# When the agent is sent over ssh, the operator is root already, and main.cf or a list of peers may belong to any user.
is_boundary() { [ "${PFREMOTE_INSTALLED-no}" = yes ]; }

# say KEY VALUE: one line of the reply. The decoder trusts that a value is one line. What is said under the lock waits until
# that is free: a client that does not read would keep it, and no other account could end a window.
say() {
	say_value=$2
	case $say_value in
	*[[:cntrl:]]*) say_value=$(printf '%s' "$say_value" | tr '[:cntrl:]' '?') ;;
	esac
	if [ "$LOCKED" = yes ]; then
		SAID=$SAID$1=$say_value$NL
	else
		printf '%s=%s\n' "$1" "$say_value" 2>/dev/null || :
	fi
}

warn() {
	say warning "$1 $2"
	[ -z "${3-}" ] || say hint "$3"
}

# refuse CODE TEXT [HINT]: collect a reason; finish() makes them the result. Nothing is touched after one.
refuse() {
	say refused "$1 $2"
	[ -z "${3-}" ] || say hint "$3"
	EXIT=3
}

# finish_refused: the reply ends here where anything was refused.
finish_refused() { if [ "$EXIT" -eq 3 ]; then finish; fi; }

# die CODE TEXT [HINT]: the reply ends here.
die() {
	say failed "$1 $2"
	[ -z "${3-}" ] || say hint "$3"
	EXIT=4
	finish
}

finish() {
	case $EXIT in
	0) say end ok ;;
	3) say end refused ;;
	*) say end failed ;;
	esac
	leave "$EXIT"
}

# leave STATUS: the one way out.
leave() {
	FINISHED=yes
	tmp_drop
	[ "$LOCKED" = no ] || unlock
	exit "$1"
}

# payload NAME ENCODING FILE: exactly the bytes of FILE behind their length.
payload() {
	[ -f "$3" ] || return 0
	payload_size=$(wc -c <"$3") || return 0
	printf 'payload=%s %s %s\n' "$1" $((payload_size)) "$2"
	cat -- "$3"
	printf '\n'
}

have() { command -v "$1" >/dev/null 2>&1; }

# run ARGV...: no stdin (a child would eat the script that the shell still reads) and none of our locks
# (a background child of `postfix reload` would keep them).
run() { "$@" </dev/null 8>&- 9>&-; }

# run_last ARGV...: the same where nothing follows it in its process: in a command substitution. One process less.
run_last() { exec "$@" </dev/null 8>&- 9>&-; }

# now: only as $(now).
now() { exec date +%s; }

uptime_now() {
	read -r uptime_whole uptime_rest </proc/uptime || uptime_whole=0
	UPTIME=${uptime_whole%%.*}
	: "$uptime_rest"
}

# One boot of one machine or container: the kernel's id, and the start of pid 1, since a restarted
# container keeps the kernel's id.
boot_now() {
	read -r boot_id </proc/sys/kernel/random/boot_id || boot_id=unknown
	proc_start 1 || :
	BOOT=$boot_id.$START
}

# proc_start PID: into START its start time in clock ticks since boot (proc(5), stat field 22), nothing when it is gone or
# a zombie. The command name may hold blanks and parentheses: cut behind the last one.
proc_start() {
	START=
	{ read -r proc_start_line <"/proc/$1/stat"; } 2>/dev/null || return 1
	proc_start_line=${proc_start_line##*) }
	# shellcheck disable=SC2086 # split into fields on purpose
	set -- $proc_start_line
	case $1 in
	[ZX]) return 1 ;;
	esac
	START=${20-}
}

# proc_is PID START: is that process still there, and not another one that got its number?
proc_is() { [ -n "${2-}" ] && proc_start "$1" && [ "$START" = "$2" ]; }

# proc_me: who we are, for proc_is, into ME.
proc_me() {
	[ -z "${ME-}" ] || return 0
	proc_start $$ || :
	ME="$$ $START"
}

# signed FILE: is the process still there that put proc_me's words into FILE? Its number is in SIGNER.
signed() {
	SIGNER=
	{ read -r SIGNER signed_start <"$1"; } 2>/dev/null && proc_is "$SIGNER" "$signed_start"
}

# proc_here /proc/PID: does that process see the same files as we do? One of a container does not, and what it reads has only
# the same name. (A service with a mount namespace of its own, PrivateTmp= and the like, has our root all the same.)
# shellcheck disable=SC3013 # dash, bash and busybox have -ef
proc_here() { [ "$1/root/." -ef /. ]; }

# proc_running NAME...: does a program of one of these names run here?
proc_running() {
	for proc_running_dir in /proc/[0-9]*; do
		{ read -r proc_running_comm <"$proc_running_dir/comm"; } 2>/dev/null || continue
		for proc_running_name in "$@"; do
			[ "$proc_running_comm" = "$proc_running_name" ] && proc_here "$proc_running_dir" && return 0
		done
	done
	return 1
}

tmp_make() {
	[ -z "$TMP" ] || return 0
	if [ -n "${1-}" ]; then
		TMP=$1/tmp.$$
		drop "$TMP"
		mkdir -- "$TMP" 2>/dev/null || { TMP=; return 1; }
	else
		# /tmp may be as full as the rest of the disk, or full of another user's files
		for tmp_make_dir in /tmp /run /dev/shm; do
			TMP=$(mktemp -d "$tmp_make_dir/tmp.XXXXXXXXXX" 2>/dev/null) && return 0
		done
		TMP=
		return 1
	fi
}

tmp_drop() {
	[ -z "$TMP" ] || rm -rf -- "$TMP"
	TMP=
}

# settle_disk FILE...: on disk before the next step. Older sync(1) takes no arguments.
settle_disk() {
	run sync -- "$@" 2>/dev/null || run sync
}

# cool FILE: Postfix programs sleep until a main.cf is over a second old (util/dict.c, hot-file test). One look at the clock is
# good for some seconds: older is as good.
cool() {
	uptime_now
	if [ -z "${cool_uptime-}" ] || [ $((UPTIME - cool_uptime)) -gt 5 ]; then
		cool_uptime=$UPTIME cool_time=$(($(now) - 3))
	fi
	touch -d "@$cool_time" -- "$1" 2>/dev/null || touch -t 200001010000 -- "$1"
}

# path_real PATH: its real path; of a folder that is there without starting a program.
path_real() { { [ -d "$1" ] && cd -P -- "$1" && pwd -P || readlink -f -- "$1"; } 2>/dev/null; }

# first_line FILE: into LINE. Returns 1 where there is none.
first_line() {
	LINE=
	{ IFS= read -r LINE <"$1"; } 2>/dev/null || [ -n "$LINE" ]
}

# drop FILE...: remove it, and start no rm where there is nothing to remove, as most times.
drop() {
	for drop_file in "$@"; do
		if [ -e "$drop_file" ] || [ -L "$drop_file" ]; then
			rm -rf -- "$@"
			return
		fi
	done
}

# put FILE [LINE]: LINE, or stdin, becomes FILE in one step, so that a crash leaves the old or the new one.
put() {
	# two processes may write the same file at once: watchers of cron, and the one that settles a lease
	if put_text "$@" >"$1.new.$$" 2>/dev/null && mv -f -- "$1.new.$$" "$1"; then return 0; fi
	rm -f -- "$1.new.$$"
	return 1
}

put_text() { if [ "$#" -gt 1 ]; then printf '%s\n' "$2"; else cat; fi; }

is_number() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	esac
	[ "${#1}" -le 15 ]
}

# is_whole VALUE: a number that arithmetic expansion reads as it is written: 010 would be eight, and 08 ends the shell.
is_whole() {
	is_number "$1" || return 1
	case $1 in
	0?*) return 1 ;;
	esac
}

# percent_encode VALUE: into ENCODED, so that it is one word of plain signs: it can stand beside others on one line, forge
# none of them, and be decoded whatever bytes it has. Most values are plain already, and no program is started.
percent_encode() {
	case $1 in
	*[!A-Za-z0-9._:/,@+!~-]*) ENCODED=$(printf '%s' "$1" | od -An -v -tx1 | percent_encode_bytes) ;;
	*) ENCODED=$1 ;;
	esac
}

# A square bracket stays: addresses have it.
percent_encode_bytes() {
	awk '
		BEGIN {
			plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/,@+!~-[]"
			for (i = 1; i <= length(plain); i++) {
				sign = substr(plain, i, 1)
				kept[sign] = 1
			}
			for (code = 33; code < 127; code++) {
				sign = sprintf("%c", code)
				if (sign in kept) as[sprintf("%02x", code)] = sign
			}
		}
		{ for (i = 1; i <= NF; i++) printf "%s", ($i in as) ? as[$i] : "%" toupper($i) }'
}

audit() {
	if have logger; then
		run logger -t pfremote -p daemon.notice -- "$1" 2>/dev/null || :
	fi
}

# oom_reset: what the caller wants killed first when memory runs out (proc_pid_oom_score_adj(5)) must not be the guard.
oom_reset() {
	if { read -r oom_now <"/proc/$$/oom_score_adj"; } 2>/dev/null && [ "$oom_now" -gt 0 ]; then
		{ printf '0\n' >"/proc/$$/oom_score_adj"; } 2>/dev/null || :
	fi
}

# limits_are_wide: mostly they are, as proc_pid_limits(5) tells without a process for each.
limits_are_wide() {
	limits_wide=0
	# shellcheck disable=SC2034 # columns of that file
	while read -r limits_max limits_of limits_what limits_now limits_rest; do
		case "$limits_of $limits_what $limits_now" in
		"cpu time unlimited" | "file size unlimited" | "address space unlimited" | "data size unlimited") ;;
		"open files unlimited" | "stack size unlimited") ;;
		"open files "*) is_number "$limits_now" && [ "$limits_now" -ge 256 ] || return 1 ;;
		"stack size "*) is_number "$limits_now" && [ "$limits_now" -ge 4194304 ] || return 1 ;;
		*) continue ;;
		esac
		limits_wide=$((limits_wide + 1))
	done </proc/self/limits
	[ "$limits_wide" -eq 6 ]
} 2>/dev/null

# limits_raise: sudo passes the caller's resource limits on. A file limit would kill us when the history is written, a CPU
# limit would kill the guard, and debugging would stay on. Root may lift them; what is too low and cannot be lifted goes
# into LIMITS, and is refused. Enough are two hours of CPU, files of 2 GB (blocks of 512 bytes), and 1 GB of memory.
limits_raise() {
	LIMITS=
	if limits_are_wide; then return 0; fi
	for limits_what in t:7200 f:4194304 v:1048576 d:1048576 n:256 s:4096; do
		limits_enough=${limits_what#*:} limits_what=-${limits_what%:*}
		# shellcheck disable=SC3045 # dash, bash and busybox have these; one that does not know a limit is not asked for it
		limits_now=$(ulimit "$limits_what" 2>/dev/null) || continue
		is_number "$limits_now" || continue # unlimited
		case $limits_what in
		-n | -s) if [ "$limits_now" -ge "$limits_enough" ]; then continue; fi ;;
		*) limits_enough=unlimited ;;
		esac
		# shellcheck disable=SC3045 # see above
		if ulimit "$limits_what" "$limits_enough" 2>/dev/null; then continue; fi
		case $limits_what:$limits_now in
		-t:?????* | -f:????????* | -[vd]:????????*) ;; # more than enough
		*) LIMITS="$LIMITS $limits_what $limits_now" ;;
		esac
	done
}
