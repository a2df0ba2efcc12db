# shellcheck shell=sh
# Which of the places that a line of Postfix may arrive in is its log. The known order: maillog_file; else the journal,
# since journald drops lines on the way to a syslog daemon when that one's queue is full; else the files that a syslog
# daemon writes. Being there proves nothing: a journald with Storage=none exists and keeps nothing, a file may be the
# last one of a syslog daemon that was removed.
#
# source_prove writes one marked line the way Postfix does, and takes the first source that shows it: arm does that.
# source_catch_up writes one more when a window is over, and waits for it in the log that arm found.
# source_judge writes nothing, and goes by the newest line of Postfix that each source holds.

# The files that syslog daemons write mail to where their packages are left as they come, in the order of preference.
SYSLOG_FILES='/var/log/mail.log /var/log/maillog /var/log/mail /var/log/syslog /var/log/messages'

# source_list: what may be the log, one a line and in the known order, into SOURCES; why there is none into LOG_WHY.
source_list() {
	SOURCES='' LOG_WHY="there is no maillog_file, no journal and no syslog file"
	if [ -n "$A_log" ]; then
		SOURCES=$A_log
		[ "$A_log" != journal ] || { source_namespace && SOURCES=journal$JOURNAL_SPACE; }
		return
	fi
	case $I_maillog in
	'') ;;
	/dev/*)
		LOG_WHY="maillog_file is $I_maillog: the log goes to the container's output"
		return
		;;
	*)
		SOURCES=file:$I_maillog
		return
		;;
	esac
	if [ -S /run/systemd/journal/socket ] && have journalctl; then
		source_namespace
		SOURCES=journal$JOURNAL_SPACE
	fi
	for source_path in $SYSLOG_FILES; do
		[ ! -f "$source_path" ] || SOURCES=$SOURCES${SOURCES:+$NL}file:$source_path
	done
}

# source_namespace: into JOURNAL_SPACE nothing, or `:NAME` where Postfix's unit has a journal of its own (LogNamespace= of
# systemd.exec(5)). Its processes see that journal's sockets in a mount namespace of theirs.
source_namespace() {
	JOURNAL_SPACE=
	master_pid || return 0
	# shellcheck disable=SC3013 # dash, bash and busybox have -ef
	if [ "/proc/$MASTER/ns/mnt" -ef /proc/self/ns/mnt ]; then return 0; fi
	master_unit
	if [ -z "$UNIT" ] || ! have systemctl; then return 0; fi
	source_name=$(run_last systemctl show -p LogNamespace "$UNIT" 2>/dev/null)
	case ${source_name#LogNamespace=} in
	'' | *[!A-Za-z0-9._-]*) ;;
	*) JOURNAL_SPACE=:${source_name#LogNamespace=} ;;
	esac
}

# source_more: add the files that a syslog daemon has open now, whatever its configuration calls them. What has mail in
# its name comes first.
source_more() {
	for source_file in $(source_open | sort -u | awk '/mail/ { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }'); do
		case "$NL$SOURCES$NL" in
		*"${NL}file:$source_file$NL"*) ;;
		*) SOURCES=$SOURCES${SOURCES:+$NL}file:$source_file ;;
		esac
	done
}

source_open() {
	for source_proc in /proc/[0-9]*; do
		{ read -r source_comm <"$source_proc/comm"; } 2>/dev/null || continue
		case $source_comm in
		rsyslogd | in:imjournal | syslog-ng | syslogd | metalog) ;;
		*) continue ;;
		esac
		proc_here "$source_proc" || continue
		# shellcheck disable=SC2012 # the targets of links
		ls -l "$source_proc/fd" 2>/dev/null | sed -n 's,^.* -> \(/[A-Za-z0-9._/@+-]*\)$,\1,p' | grep -vE '^/(dev|proc|sys|run|usr)/'
	done
}

# source_prove: write one marked line, and wait for it. Sets LOG, LOG_WHY and MARK (the position behind that line), and
# MARK_SEQUENCE, the journal's number of the line where it has such numbers. Returns 1 where it arrives nowhere.
source_prove() {
	MARK=none MARK_SEQUENCE=
	if [ "$A_log" = none ]; then
		LOG=elsewhere LOG_WHY="pfremote_log or --log says that the log is kept elsewhere"
		return 0
	fi
	source_list
	[ -n "$SOURCES" ] || return 1
	source_mark "$A_lease" "a debug window"
	source_write
	case $SOURCES in
	journal*) ! source_prove_journal "${SOURCES%%"$NL"*}" || return 0 ;;
	esac
	source_tries=50
	while [ "$source_tries" -gt 0 ]; do
		# opened just now, for a file that is opened with its first line
		if [ "$source_tries" -eq 45 ] && [ -z "$A_log$I_maillog" ]; then source_more; fi
		! source_look || return 0
		source_tries=$((source_tries - 1))
		sleep 0.1
	done
	case $SOURCES in
	journal*) ! source_find_journal "${SOURCES%%"$NL"*}" || return 0 ;;
	esac
	source_why_nowhere
	return 1
}

# source_catch_up ID: wait until the log of the lease that is loaded has all that was logged until now: one more marked line is
# written and looked for, for five seconds. Returns 1 where it does not come. What died with an earlier boot is not on its way.
source_catch_up() {
	boot_now
	[ "$BOOT" = "$L_boot" ] || return 0
	log_of_lease "$1"
	case $LOG in
	journal*) ;;
	file:*)
		JOURNAL_SPACE=
		if [ -S /run/systemd/journal/socket ]; then source_namespace; fi
		;;
	*) return 0 ;;
	esac
	if [ -n "$JOURNAL_SPACE" ] && ! master_pid; then return 0; fi # its journal may have ended with it
	source_mark "$1" "the end of a debug window"
	# beside us: where the logging system stands still, a program that logs waits for it
	# shellcheck disable=SC2217 # see verb_watch
	(
		trap - EXIT TERM INT
		source_write
	) </dev/null >/dev/null 2>&1 8>&- 9>&- &
	source_tries=50
	while [ "$source_tries" -gt 0 ]; do
		sleep 0.1
		case $LOG in
		journal*) ! source_find_journal "$LOG" || return 0 ;;
		*) ! source_find_file "${LOG#file:}" || return 0 ;;
		esac
		source_tries=$((source_tries - 1))
	done
	# in a file that was rotated just then it is not near the end of what is read now
	log_grep "$(cat "$STATE/leases/$1/mark")" -qaF -e "$source_text"
}

# source_mark ID WHAT: make a marked line that no other is like, as source_tag and source_text.
source_mark() {
	source_tag=$I_syslog_name/postlog
	uptime_now
	source_text="pfremote: mark $1.$$.$uptime_whole of $2"
}

# source_write: as Postfix's own daemons log: to maillog_file through postlogd(8), else to syslog, there where the unit's
# processes do.
source_write() {
	set -- postlog -c "$CONF" -i -t "$source_tag" "$source_text"
	if [ -n "$JOURNAL_SPACE" ] && have nsenter; then set -- nsenter -t "$MASTER" -m -- "$@"; fi
	! run "$@" 2>/dev/null || return 0
	set -- -t "$source_tag" -p "$I_facility.info" -i "$source_text"
	[ -z "$JOURNAL_SPACE" ] || set -- -u "/run/systemd/journal.${JOURNAL_SPACE#:}/dev-log" "$@"
	run logger "$@" 2>/dev/null || :
}

# source_prove_journal SOURCE: journald takes a moment, and a look costs more than the nap. After --sync it has taken everything
# that came before.
source_prove_journal() {
	for source_nap in 0.01 0.03; do
		sleep "$source_nap"
		! source_find_journal "$1" || return 0
	done
	journal_read '' --sync
	source_find_journal "$1"
}

# source_look: one look at each file of SOURCES.
source_look() {
	# shellcheck disable=SC2086 # one a line
	set -f && IFS=$NL && set -- $SOURCES && IFS=$BLANKS && set +f
	for source_now in "$@"; do
		case $source_now in
		file:*) ! source_find_file "${source_now#file:}" || return 0 ;;
		esac
	done
	return 1
}

source_find_journal() {
	JOURNAL_SPACE=${1#journal}
	MARK=$(journal_read '' -n 20 -o export SYSLOG_IDENTIFIER="$source_tag" | awk -v text="MESSAGE=$source_text" '
		/^__CURSOR=/ { cursor = substr($0, 10); sequence = "" }
		/^__SEQNUM=/ { sequence = substr($0, 10) }
		$0 == text { found = cursor " " sequence }
		END { print found }')
	[ -n "$MARK" ] || return 1
	MARK_SEQUENCE=${MARK##* }
	MARK="$1 ${MARK%% *}"
	LOG=$1 LOG_WHY="a marked line arrived in the journal${JOURNAL_SPACE:+ of the namespace ${JOURNAL_SPACE#:}}"
}

# source_find_file PATH: where the marked line ends, so that the checksum of the position is one of that line.
source_find_file() {
	source_size=$(wc -c <"$1" 2>/dev/null) || return 1
	source_from=$((source_size - 200000))
	[ "$source_from" -gt 0 ] || source_from=0
	source_end=$(run_last tail -c "+$((source_from + 1))" -- "$1" 2>/dev/null | awk -v text="$source_text" '
		{ end += length($0) + 1 }
		index($0, text) { found = end }
		END { print found }')
	[ -n "$source_end" ] || return 1
	source_end=$((source_from + source_end))
	LOG=file:$1 LOG_WHY="a marked line arrived in it"
	MARK="file $(inode_of "$1") $source_end $(log_sum "$1" "$source_end") $1"
}

# source_why_nowhere: into LOG_WHY where the marked line was looked for, and what can be seen of the reason.
source_why_nowhere() {
	LOG_WHY="a marked line, written the way Postfix does, arrived in none of: $(printf '%s' "$SOURCES" | tr '\n' ' ')"
	case $SOURCES in
	*journal*)
		source_storage=$(cat /etc/systemd/journald.conf /etc/systemd/journald.conf.d/*.conf 2>/dev/null |
			sed -n 's/^[[:blank:]]*Storage=//p' | tail -n 1)
		[ "$source_storage" != none ] || LOG_WHY="$LOG_WHY (journald keeps nothing: Storage=none)"
		;;
	esac
	! grep -qsE '^[^#]*(omfwd|[[:blank:]]@@?[[:alnum:][])' /etc/rsyslog.conf /etc/rsyslog.d/*.conf ||
		LOG_WHY="$LOG_WHY (rsyslog sends it to another host)"
}

# source_refuse: nowhere to collect from is a reason to leave main.cf as it is.
source_refuse() {
	refuse no-log "it is not known where this Postfix logs: $LOG_WHY" \
		"Let journald keep its log (Storage=volatile or persistent in journald.conf), let a syslog daemon write mail.* to a file, or set maillog_file; where the log is kept elsewhere on purpose: --log none."
}

# source_judge_for_arm: for check=yes as source_judge; else only whether there is anything to prove, and where disk space
# counts.
source_judge_for_arm() {
	if [ "$A_check" = yes ]; then
		source_judge
	else
		source_list
		LOG=${SOURCES%%"$NL"*}
	fi
	[ "$A_log" != none ] || return 0
	case $LOG in
	'' | none) source_refuse ;;
	esac
}

# source_judge: sets LOG and LOG_WHY without writing anything. Where peers are named an arm comes next, with check=yes or
# not: then only the order counts, since each look at a log costs as much as all the rest of a probe.
source_judge() {
	LOG=none
	if [ "$A_log" = none ]; then
		LOG=elsewhere LOG_WHY="pfremote_log or --log says that the log is kept elsewhere"
		return
	fi
	source_list
	[ -n "$SOURCES" ] || return 0
	if [ -n "$A_log" ]; then
		LOG=$A_log LOG_WHY="pfremote_log or --log says so; arming will prove it"
		return
	fi
	if [ -n "$I_maillog" ]; then
		LOG=$SOURCES LOG_WHY="maillog_file is set; arming will prove it"
		return
	fi
	if [ "$main_verb" = probe ] && [ -n "$A_peers" ]; then
		LOG=${SOURCES%%"$NL"*} LOG_WHY="the first of the usual order; arming will prove it"
	else
		source_judge_newest
	fi
}

# source_judge_newest: the journal, unless a file has a newer line of Postfix that the journal lacks. The files are read
# first: a line that arrives in between is then in what is read later.
source_judge_newest() {
	source_judge_files
	LOG=${SOURCES%%"$NL"*} LOG_WHY="judged by the usual order, since no source holds a line of Postfix; arming will prove it"
	case $LOG in
	journal*) source_lines=$(journal_read_mail '' -b -n 500 -o short-unix) ;;
	*) source_lines= ;;
	esac
	if [ -n "$source_lines" ]; then
		LOG_WHY="judged by the newest line of Postfix, which the journal has; arming will prove it"
		source_journal_has && return
	fi
	[ -n "$source_line" ] || return 0
	LOG=file:$source_path LOG_WHY="judged by the newest line of Postfix, which only this file has; arming will prove it"
}

# source_judge_files: the first file of SOURCES that has a line of Postfix near its end into source_path, that line's tag
# and text into source_line.
source_judge_files() {
	source_line=
	# shellcheck disable=SC2086 # one a line
	set -f && IFS=$NL && set -- $SOURCES && IFS=$BLANKS && set +f
	for source_path in "$@"; do
		case $source_path in
		file:*) source_path=${source_path#file:} ;;
		*) continue ;;
		esac
		source_line=$(run_last tail -c 65536 -- "$source_path" 2>/dev/null | grep -a " $I_syslog_name/[a-z/-]*\[[0-9]*\]: " | tail -n 1)
		[ -z "$source_line" ] || break
	done
	source_line=${source_line#*" $I_syslog_name/"}
}

# source_journal_has: does the journal have the newest line of the file too, or is the file an old one?
source_journal_has() {
	[ -n "$source_line" ] || return 0
	case $source_lines in
	*" $I_syslog_name/$source_line"*) return 0 ;;
	esac
	source_newest=$(printf '%s\n' "$source_lines" | tail -n 1)
	source_newest=${source_newest%%[!0-9]*}
	source_written=$(stat -c %Y -- "$source_path" 2>/dev/null) || return 0
	[ "$source_written" -lt $((${source_newest:-0} - 60)) ]
}

# mark_save: what source_prove found, into the folder of the lease that is being armed: `mark`, where its log begins;
# `log`, which log it is and how that was seen; `aside`, positions of other places where losses of a file are told.
mark_save() {
	source_foreign
	master_unit
	printf '%s\n' "$MARK" >"$LEASE_DIR/mark" &&
		printf '%s\n' "log=$LOG" "log_why=$LOG_WHY" "sequence=$MARK_SEQUENCE" "foreign=$FOREIGN" "unit=$UNIT" >"$LEASE_DIR/log" || return 1
	mark_aside >"$LEASE_DIR/aside"
}

# mark_load ID: the lease's file `log` into L_log, L_log_why and so on.
mark_load() {
	L_log='' L_log_why='' L_sequence='' L_foreign='' L_unit='' L_armed_reload=''
	[ -f "$STATE/leases/$1/log" ] || return 0
	while IFS= read -r mark_line; do
		case $mark_line in
		log=*) L_log=${mark_line#*=} ;;
		log_why=*) L_log_why=${mark_line#*=} ;;
		sequence=*) L_sequence=${mark_line#*=} ;;
		foreign=*) L_foreign=${mark_line#*=} ;;
		unit=*) L_unit=${mark_line#*=} ;;
		armed_reload=*) L_armed_reload=${mark_line#*=} ;;
		esac
	done <"$STATE/leases/$1/log"
}

# What a syslog daemon drops it tells under its own name and facility, so hardly ever in the file that lacks the lines. What
# Postfix writes into its maillog_file itself goes through none.
mark_aside() {
	mark_log=$LOG
	case $mark_log in
	"file:$I_maillog") return 0 ;;
	file:*) ;;
	*) return 0 ;;
	esac
	if [ -S /run/systemd/journal/socket ] && have journalctl; then
		JOURNAL_SPACE=
		printf 'journal %s\n' "$(journal_read '' -n 1 --show-cursor -o cat | journal_cursor)"
	fi
	for LOG in $SYSLOG_FILES; do
		LOG=file:$LOG
		[ -f "${LOG#file:}" ] && [ "$LOG" != "$mark_log" ] || continue
		log_position
	done
	LOG=$mark_log
}

# master_unit: the systemd unit of the running master(8) into UNIT, nothing where there is none (cgroups(7)).
master_unit() {
	UNIT=
	while IFS= read -r master_unit_line; do
		case $master_unit_line in
		0::*.service | *:name=systemd:*.service) UNIT=${master_unit_line##*/} ;;
		esac
	done 2>/dev/null <"/proc/$MASTER/cgroup" || :
}

# source_foreign: into FOREIGN the names that other running instances of this host log under, and this one does not.
# Where an instance has maillog_file its log is its own.
source_foreign() {
	FOREIGN=
	[ -z "$I_maillog" ] || return 0
	instances_others
	[ -n "$INSTANCES" ] || return 0
	source_own=$(instance_names "$CONF")
	for source_dir in $INSTANCES; do
		for source_name in $(instance_names "$source_dir"); do
			case "$NL$source_own$NL" in
			*"$NL$source_name$NL"*)
				warn instances-mixed "the instance $source_dir logs under the name $source_name as well: of these lines it cannot be told whose they are" \
					"Set syslog_name (also where master.cf has -o syslog_name) to another name in one of the two."
				;;
			*) FOREIGN="$FOREIGN$source_name " ;;
			esac
		done
	done
}

# instances_others: the configuration directories of the other Postfix instances that run here, into INSTANCES. postfix(1)
# gives master(8) its directory in MAIL_CONFIG.
instances_others() {
	INSTANCES=
	for instances_proc in /proc/[0-9]*; do
		{ read -r instances_comm <"$instances_proc/comm"; } 2>/dev/null || continue
		[ "$instances_comm" = master ] && [ "$instances_proc" != "/proc/${MASTER-}" ] || continue
		instances_dir=$(tr '\000' '\n' 2>/dev/null <"$instances_proc/environ" | sed -n 's/^MAIL_CONFIG=//p')
		case $instances_dir in
		/*[!A-Za-z0-9_./+,@:-]*) continue ;;
		/*) ;;
		*) continue ;;
		esac
		instances_dir=$(readlink -f -- "$instances_dir") || continue
		if [ "$instances_dir" = "$CONF_REAL" ] || [ ! -f "$instances_dir/main.cf" ]; then continue; fi
		# a master of a container: its main.cf is not the one that has this name here
		proc_here "$instances_proc" || continue
		case " $INSTANCES " in
		*" $instances_dir "*) ;;
		*) INSTANCES="$INSTANCES$instances_dir " ;;
		esac
	done
}

# instance_names DIR: the names that an instance logs under, one a line.
instance_names() {
	{
		run postconf -c "$1" -x -h syslog_name
		! grep -q syslog_name "$1/master.cf" || run postconf -c "$1" -x -P '*/*/syslog_name' | sed 's/^[^=]* = //'
	} 2>/dev/null | sort -u
}
