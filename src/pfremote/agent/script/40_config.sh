# shellcheck shell=sh
# main.cf: the baseline, what the leases make of it, and the swap. The one revert of pfremote ends here,
# in config_apply: main.cf becomes what the baseline and the remaining leases ask for.

# config_paths: the names of our passing files, beside main.cf so that a rename is atomic. ORIG and NEW belong to the
# process that holds the lock; TRY and a process number is that process's own.
config_paths() {
	ORIG=${MAIN%/*}/.pfremote-$KEY.orig
	NEW=${MAIN%/*}/.pfremote-$KEY.new
	TRY=${MAIN%/*}/.pfremote-$KEY.try
}

# config_refuse: everything about main.cf that we could not undo.
config_refuse() {
	if [ -L "$CONF/main.cf" ]; then
		warn main-cf-link "main.cf is a symbolic link; its target $MAIN is edited and the link stays"
	fi
	# shellcheck disable=SC2034 # columns of proc_pid_mountinfo(5)
	while read -r mount_id mount_parent mount_device mount_root mount_point mount_rest; do
		[ "$mount_point" = "$MAIN" ] || continue
		refuse main-cf-mounted "$MAIN is a mount of its own, it cannot be swapped in one step" \
			"Edit the file that is mounted there (container image, volume), or debug with its own tooling."
	done </proc/self/mountinfo
	if have lsattr; then
		config_refuse_flags=$(lsattr -d -- "$MAIN" 2>/dev/null) || config_refuse_flags=
		case ${config_refuse_flags%% *} in
		*[ia]*)
			refuse main-cf-immutable "$MAIN has the immutable or append-only attribute" "Make it writable with: chattr -ia $MAIN"
			return 0
			;;
		esac
	fi
	# A name of its own: we do not hold the lock yet, and NEW may be another's main.cf about to be swapped in.
	config_refuse_try=$TRY.$$
	if ! { (true >"$config_refuse_try") && rm -f -- "$config_refuse_try"; } 2>/dev/null; then
		refuse main-cf-readonly "no file can be made in ${MAIN%/*} (read-only file system, or full)" \
			"Make room, or make it writable with mount -o remount,rw; then try again."
	fi
}

# baseline_save: main.cf as it was before the first lease. The oldest copy wins. The caller has $STATE put on disk.
baseline_save() {
	if [ -d "$STATE/baseline" ]; then return 0; fi
	drop "$STATE/baseline.new" "$STATE/written" "$STATE/written.next"
	mkdir -- "$STATE/baseline.new" && cp -p -- "$MAIN" "$STATE/baseline.new/main.cf" || return 1
	cmp -s -- "$MAIN" "$STATE/baseline.new/main.cf" || return 1
	printf '%s\n' "$MAIN" >"$STATE/baseline.new/path" || return 1
	settle_disk "$STATE/baseline.new/main.cf" "$STATE/baseline.new/path" "$STATE/baseline.new"
	mv -- "$STATE/baseline.new" "$STATE/baseline"
}

# orig_save: ORIG is a second link to the very file, so that the way back is a rename: no disk space, and owner, mode,
# time, label, ACL and other links come back by themselves. Made when the guard stands: whatever dies, it is removed.
# swap_in puts it on disk before main.cf changes.
orig_save() {
	cmp -s -- "$MAIN" "$STATE/baseline/main.cf" || return 0
	drop "$ORIG"
	ln -- "$MAIN" "$ORIG" 2>/dev/null || cp -a -- "$MAIN" "$ORIG"
}

baseline_drop() {
	drop "$ORIG" "$NEW" "$TRY".*
	drop "$STATE/baseline" "$STATE/baseline.new" "$STATE/written" "$STATE/written.next"
}

# copy_make FILE DIR: DIR becomes a private configuration with FILE as its main.cf. postconf glues an
# appended parameter to a last line without newline, so give it one.
copy_make() {
	drop "$2"
	mkdir -- "$2" || return 1
	case $1 in
	*/main.cf) copy_make_from=$1 ;;
	*) copy_make_from='' ;;
	esac
	if [ -n "$copy_make_from" ] && [ -f "$CONF/master.cf" ]; then
		cp -- "$1" "$CONF/master.cf" "$2/" || return 1
	else
		cat -- "$1" >"$2/main.cf" || return 1
		if [ -f "$CONF/master.cf" ]; then cat -- "$CONF/master.cf" >"$2/master.cf" || return 1; fi
	fi
	[ -z "$(tail -c 1 "$2/main.cf")" ] || printf '\n' >>"$2/main.cf" || return 1
	cool "$2/main.cf"
}

# wanted_compute: from the baseline (already read into E_/R_/H_) and all active leases, the value of each
# parameter into W_name and yes/no into S_name (is it ours to set?).
# The list: patterns first that have no negation, then main.cf's own, then those with one, since the first match
# decides and one lease's "!" must not silence another (util/match_list.c). Levels: the maximum; main.cf's own
# debug_peer_level counts only where main.cf has a debug_peer_list of its own.
wanted_compute() {
	W_debug_peer_list='' W_debug_peer_level=0 wanted_negated=''
	W_smtpd_tls_loglevel='' W_smtp_tls_loglevel='' W_lmtp_tls_loglevel=''
	leases_active
	for wanted_id in $ACTIVE; do
		lease_load "$wanted_id"
		lease_patterns "$wanted_id"
		peers_join "$PATTERNS" ', '
		case $PEERS in
		*!*) wanted_negated=$wanted_negated${wanted_negated:+, }$PEERS ;;
		*) wanted_add "$PATTERNS" ;;
		esac
		wanted_max debug_peer_level "$L_level"
		wanted_max smtpd_tls_loglevel "$L_smtpd_tls"
		wanted_max smtp_tls_loglevel "$L_smtp_tls"
		wanted_max lmtp_tls_loglevel "$L_lmtp_tls"
	done
	if [ -n "$R_debug_peer_list" ]; then
		W_debug_peer_list=$W_debug_peer_list${W_debug_peer_list:+, }$R_debug_peer_list
		wanted_max debug_peer_level "$E_debug_peer_level"
	fi
	W_debug_peer_list=$W_debug_peer_list${wanted_negated:+${W_debug_peer_list:+, }$wanted_negated}
	wanted_forbid
	W_debug_peer_list=$wanted_forbidden$W_debug_peer_list
	for wanted_name in smtpd_tls_loglevel smtp_tls_loglevel lmtp_tls_loglevel; do
		eval "wanted_asked=\$W_$wanted_name wanted_own=\$E_$wanted_name"
		[ -n "$wanted_asked" ] || continue
		# Levels by name (`debug`, `summary,cache`) cannot be compared: main.cf's own choice stays.
		if is_number "$wanted_own"; then wanted_max "$wanted_name" "$wanted_own"; else eval "W_$wanted_name="; fi
	done
}

# wanted_forbid: what the host's policy forbids, into wanted_forbidden. It comes first, so that no wider pattern reaches it. A name
# stands for what is below it as well, and where parent_domain_matches_subdomains lacks debug_peer_list that is written with
# a dot (util/match_ops.c).
wanted_forbid() {
	wanted_forbidden=
	set -f # an address in brackets is no pattern of file names
	for wanted_peer in $P_forbidden; do
		wanted_forbidden="$wanted_forbidden!$wanted_peer, "
		case " $I_parents :$wanted_peer" in
		*[\ ,]debug_peer_list[\ ,]* | *:.* | *:*[:/[]*) ;;
		*:*[A-Za-z]*) wanted_forbidden="$wanted_forbidden!.$wanted_peer, " ;;
		esac
	done
	set +f
}

# wanted_add FILE: its patterns, each once.
wanted_add() {
	while IFS= read -r wanted_peer; do
		case ", $W_debug_peer_list, " in
		*", $wanted_peer, "*) ;;
		*) W_debug_peer_list=$W_debug_peer_list${W_debug_peer_list:+, }$wanted_peer ;;
		esac
	done <"$1"
}

# wanted_max NAME VALUE: raise W_NAME to VALUE where VALUE is a number.
wanted_max() {
	is_number "${2:-x}" || return 0
	eval "wanted_old=\${W_$1:-0}"
	[ "$2" -lt "$wanted_old" ] || eval "W_$1=\$2"
}

# wanted_write DIR: edit the private copy in one postconf call, then look at it.
wanted_write() {
	set -- "$1" postconf -c "$1" -e
	for wanted_name in $PARAMETERS; do
		eval "wanted_value=\$W_$wanted_name wanted_raw=\$R_$wanted_name wanted_has=\$H_$wanted_name"
		[ -n "$wanted_value" ] || continue
		# Already exactly so in main.cf: leave the line alone, with its layout.
		if [ "$wanted_has" = no ] || [ "$wanted_value" != "$wanted_raw" ]; then
			set -- "$@" "$wanted_name=$wanted_value"
		fi
	done
	wanted_dir=$1
	shift
	if [ "$#" -gt 4 ]; then run "$@" 2>/dev/null || return 1; fi
	cool "$wanted_dir/main.cf"
	conf_ask_raw "$wanted_dir" || return 1
	for wanted_name in $PARAMETERS; do
		eval "wanted_value=\$W_$wanted_name wanted_raw=\$R_$wanted_name"
		if [ -n "$wanted_value" ] && [ "$wanted_value" != "$wanted_raw" ]; then return 1; fi
	done
	if conf_plain; then E_OF=$wanted_dir; else E_OF=; fi
}

# postconf_lock / postconf_unlock: hold the lock that postconf itself takes (util/edit_file.c): an exclusive flock
# on main.cf.tmp, which must still be the file under that name once we have it. An end waits for two seconds and goes on
# without (INSIST): a postconf that hangs must not keep debugging on. Its own edit then fails and says so, since its
# main.cf.tmp is gone.
postconf_lock() {
	have flock || return 0
	postconf_lock_tries=100
	[ "$INSIST" = no ] || postconf_lock_tries=20
	while [ "$postconf_lock_tries" -gt 0 ]; do
		(true >>"$CONF/main.cf.tmp") 2>/dev/null || return 1
		exec 8>>"$CONF/main.cf.tmp"
		# shellcheck disable=SC3013 # dash, bash and busybox have -ef
		if flock -n 8 && [ "$CONF/main.cf.tmp" -ef /proc/self/fd/8 ]; then
			return 0
		fi
		exec 8>&-
		postconf_lock_tries=$((postconf_lock_tries - 1))
		sleep 0.1
	done
	return 1
}

postconf_unlock() {
	have flock || return 0
	rm -f -- "$CONF/main.cf.tmp"
	exec 8>&-
}

# A crash between lock and unlock leaves an empty main.cf.tmp that no process holds.
postconf_lock_clean() {
	[ -f "$CONF/main.cf.tmp" ] && have flock || return 0
	if [ -s "$CONF/main.cf.tmp" ]; then return 0; fi
	(true >>"$CONF/main.cf.tmp") 2>/dev/null || return 0
	exec 8>>"$CONF/main.cf.tmp"
	if flock -n 8; then rm -f -- "$CONF/main.cf.tmp"; fi
	exec 8>&-
}

# swap_in FILE EXPECTED [RECORD]: main.cf gets FILE's bytes, if it still has EXPECTED's. Owner, mode, label and ACL are
# those of the live file. Before that the new file, what was made beside main.cf (ORIG) and RECORD are put on disk.
swap_in() {
	drop "$NEW"
	cp -a -- "$MAIN" "$NEW" 2>/dev/null || cp -p -- "$MAIN" "$NEW" || return 1
	cat -- "$1" >"$NEW" || { rm -f -- "$NEW"; return 1; }
	cool "$NEW"
	settle_disk "$NEW" "${MAIN%/*}" ${3:+"$3"}
	postconf_lock || [ "$INSIST" = yes ] || { rm -f -- "$NEW"; return 1; }
	if cmp -s -- "$MAIN" "$2" && cmp -s -- "$1" "$NEW"; then
		mv -f -- "$NEW" "$MAIN"
		swap_in_result=$?
	else
		swap_in_result=2
	fi
	drop "$NEW"
	postconf_unlock
	[ "$swap_in_result" -ne 2 ] || return 2
	settle_disk "${MAIN%/*}"
	[ "$swap_in_result" -eq 0 ] && cmp -s -- "$1" "$MAIN"
}

# swap_back: the very file from before the first lease, by rename. Only while main.cf is what we wrote: 2 where it was edited.
swap_back() {
	if [ -f "$ORIG" ] && cmp -s -- "$ORIG" "$STATE/baseline/main.cf"; then
		postconf_lock || :
		if [ -e "$MAIN" ] && ! config_is_ours; then
			postconf_unlock
			return 2
		fi
		# rename(2) does nothing where both are links to one file (main.cf was never swapped)
		# shellcheck disable=SC3013 # dash, bash and busybox have -ef
		if [ "$ORIG" -ef "$MAIN" ]; then rm -f -- "$ORIG" 2>/dev/null; else orig_follow && mv -f -- "$ORIG" "$MAIN"; fi
		postconf_unlock
		settle_disk "${MAIN%/*}"
	elif cmp -s -- "$MAIN" "$STATE/baseline/main.cf"; then
		# back already; we died between the rename and the record of it
		rm -f -- "$ORIG" 2>/dev/null || return 1
	elif [ -e "$MAIN" ]; then
		config_is_ours || return 2
		swap_in "$STATE/baseline/main.cf" "$OURS" || return
	else
		cp -p -- "$STATE/baseline/main.cf" "$NEW" && mv -f -- "$NEW" "$MAIN" || return 1
	fi
	[ ! -e "$ORIG" ] && cmp -s -- "$MAIN" "$STATE/baseline/main.cf"
}

# orig_follow: an owner or mode that another user changed in the window is an edit as well: it stays.
orig_follow() {
	[ -e "$MAIN" ] && orig_follow_now=$(stat -c '%u:%g %a' -- "$MAIN" 2>/dev/null) || return 0
	[ "$orig_follow_now" != "$(stat -c '%u:%g %a' -- "$ORIG")" ] || return 0
	chown -- "${orig_follow_now% *}" "$ORIG" && chmod -- "${orig_follow_now#* }" "$ORIG" || :
}

# config_is_ours: is main.cf what we wrote last, or still the baseline? Which of them, into OURS.
config_is_ours() {
	for OURS in "$STATE/written" "$STATE/written.next" "$STATE/baseline/main.cf"; do
		[ -f "$OURS" ] && cmp -s -- "$MAIN" "$OURS" && return 0
	done
	return 1
}

# config_find: main.cf may have been replaced by a file where a link was, or the other way round. The file
# that we edited is put back where it stands, and the one that counts now is looked at. A link that stands where
# our file was leads to the one that counts.
config_find() {
	if first_line "$STATE/baseline/path"; then config_find_path=$LINE; else config_find_path=$MAIN; fi
	[ "$config_find_path" != "$MAIN" ] || return 0
	config_find_now=$MAIN
	MAIN=$config_find_path
	config_paths
	# nothing is ours behind a link, or where no file is
	if [ -L "$MAIN" ] || [ ! -e "$MAIN" ]; then :; elif config_is_ours; then swap_back || :; fi
	drop "$ORIG" "$NEW"
	MAIN=$config_find_now
	config_paths
	put "$STATE/baseline/path" "$MAIN" || :
}

# config_rebase: another user edited main.cf. Take our values out of it, parameter by parameter, where they are
# still ours; a value that another user set is theirs, and reported. The result is the new baseline.
config_rebase() {
	config_rebase_written=$STATE/written
	[ -f "$config_rebase_written" ] || config_rebase_written=$STATE/written.next
	if [ ! -f "$config_rebase_written" ]; then
		# We never wrote: all of it is theirs.
		mkdir -p -- "$TMP/edited" && cat -- "$MAIN" >"$TMP/edited/main.cf" && cat -- "$MAIN" >"$TMP/seen"
		return
	fi
	copy_make "$MAIN" "$TMP/edited" && copy_make "$config_rebase_written" "$TMP/ours" &&
		copy_make "$STATE/baseline/main.cf" "$TMP/base" || return 1
	cat -- "$MAIN" >"$TMP/seen" || return 1
	conf_read_raw "$TMP/ours" || return 1
	for rebase_name in $PARAMETERS; do
		eval "O_$rebase_name=\$H_$rebase_name:\$R_$rebase_name"
	done
	conf_read_raw "$TMP/base" || return 1
	for rebase_name in $PARAMETERS; do
		eval "B_$rebase_name=\$H_$rebase_name:\$R_$rebase_name"
	done
	conf_read_raw "$TMP/edited" || return 1
	config_rebase_values
}

# config_rebase_values: the middle of it, where O_name is what we wrote, B_name the baseline, and main.cf's own is read.
config_rebase_values() {
	set --
	rebase_drop=
	for rebase_name in $PARAMETERS; do
		eval "rebase_now=\$H_$rebase_name:\$R_$rebase_name rebase_ours=\$O_$rebase_name rebase_base=\$B_$rebase_name"
		if [ "$rebase_ours" = "$rebase_base" ] || [ "$rebase_now" = "$rebase_base" ]; then
			continue # we did not change it, or it is back already
		elif [ "$rebase_now" != "$rebase_ours" ]; then
			percent_encode "${rebase_ours#*:}"
			rebase_ours=$ENCODED
			case $rebase_now in
			no:*) ENCODED=absent ;;
			*) percent_encode "${rebase_now#*:}" ;;
			esac
			printf '%s ours=%s theirs=%s\n' "$rebase_name" "$rebase_ours" "$ENCODED" >>"$TMP/conflict"
		elif [ "${rebase_base%%:*}" = yes ]; then
			set -- "$@" "$rebase_name=${rebase_base#*:}"
		else
			rebase_drop="$rebase_drop $rebase_name"
		fi
	done
	if [ "$#" -gt 0 ]; then run postconf -c "$TMP/edited" -e "$@" 2>/dev/null || return 1; fi
	if [ -n "$rebase_drop" ]; then
		cool "$TMP/edited/main.cf"
		# shellcheck disable=SC2086 # a list of names
		run postconf -c "$TMP/edited" -X $rebase_drop 2>/dev/null || return 1
	fi
}

# config_apply: THE revert, and the arm as well. Sets RESTORED to bytes, params, recomputed or none.
# Returns 1 when main.cf could not be written; nothing is lost then and it may be tried again.
config_apply() {
	RESTORED=none E_OF=
	[ -d "$STATE/baseline" ] || return 0
	config_find
	if ! tmp_make "$STATE" && ! tmp_make; then
		# no room for a folder; the way back by rename needs none
		if any_active; then return 1; fi
		if [ -e "$MAIN" ]; then config_is_ours || return 1; fi
		RESTORED=bytes
		swap_back
		return
	fi
	# ours may be on a disk that turned read-only
	if ! (true >"$TMP/conflict") 2>/dev/null; then
		TMP=''
		tmp_make && true >"$TMP/conflict" || return 1
	fi
	config_apply_tries=3
	while [ "$config_apply_tries" -gt 0 ]; do
		config_apply_once
		case $? in
		0) return 0 ;;
		2) config_apply_tries=$((config_apply_tries - 1)) ;; # edited under our hands: look again
		*) return 1 ;;
		esac
	done
	return 1
}

config_apply_once() {
	if [ ! -e "$MAIN" ] || config_is_ours; then
		if ! any_active; then
			RESTORED=bytes
			swap_back
			return
		fi
		[ -e "$MAIN" ] || return 1
		if [ "$OURS" = "$STATE/written.next" ]; then # who swapped it in died before the record of that
			mv -f -- "$OURS" "$STATE/written" || return 1
			OURS=$STATE/written
		fi
		copy_make "$STATE/baseline/main.cf" "$TMP/next" || return 1
	else
		OURS=$TMP/seen
		config_rebase || return 1
		if ! any_active; then
			RESTORED=params
			cmp -s -- "$TMP/edited/main.cf" "$MAIN" || swap_in "$TMP/edited/main.cf" "$TMP/seen"
			return
		fi
		put "$STATE/baseline/main.cf" <"$TMP/edited/main.cf" || return 1
		rm -f -- "$ORIG"
		cp -a -- "$MAIN" "$ORIG" && cat -- "$STATE/baseline/main.cf" >"$ORIG" || return 1
		copy_make "$STATE/baseline/main.cf" "$TMP/next" || return 1
	fi
	RESTORED=recomputed
	conf_read "$TMP/next" && wanted_compute && wanted_write "$TMP/next" || return 1
	put "$STATE/written.next" <"$TMP/next/main.cf" || return 1
	swap_in "$TMP/next/main.cf" "$OURS" "$STATE/written.next" || return
	[ -z "$E_OF" ] || E_OF=$CONF
	mv -f -- "$STATE/written.next" "$STATE/written"
}
