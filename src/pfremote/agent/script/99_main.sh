# shellcheck shell=sh

# main_account: who sudo says it is, by name and by number, which no two accounts share; the client's word (owner) may be another.
main_account() {
	LOGIN=${SUDO_USER:-root}
	case $LOGIN in
	*[!A-Za-z0-9._@-]*) LOGIN=$(printf '%s' "$LOGIN" | tr -cd 'A-Za-z0-9._@-') ;;
	esac
	ACCOUNT=${SUDO_UID:-0}
	is_number "$ACCOUNT" || ACCOUNT=0
}

# main_guard_verbs: the guard's own verbs are for the copy that the guard runs, and for no account.
main_guard_verbs() {
	case $main_verb:$0 in
	watch:"$STATE_ROOT"/*/agent | sweep:"$STATE_ROOT"/*/agent) ;;
	watch:* | sweep:*) if is_boundary; then leave 3; fi ;;
	esac
}

main() {
	base_init
	IN_GUARD=no
	main_account
	if [ "${1-}" = visit ] && ! is_boundary; then
		shift
		main_visit "$@"
	fi
	main_request "$@"
}

# main_visit ARGUMENT...: two requests in one visit, so that this script is sent and read once: probe, and arm once the client
# has seen what this host is like. What is learnt for the first is forgotten with the subshell that answers it: between the two the
# host may have changed, and this process, whose number is in the lock, has done nothing yet. Not through an installed
# agent: its sudoers line may name the verbs that an account may use, and these words are not on the command line.
main_visit() {
	(
		trap 'base_died' EXIT
		main_request probe "$@"
	) </dev/null || main_visit_over "$?"
	set --
	while IFS= read -r main_visit_word; do
		if [ -z "$main_visit_word" ]; then
			[ "${1-}" = arm ] || set -- visit
			exec </dev/null
			main_request "$@"
		fi
		set -- "$@" "$main_visit_word"
	done
	main_visit_over 0 # the client wants nothing more, or is gone: half a request is none
}

main_visit_over() {
	FINISHED=yes
	exit "$1"
}

main_request() {
	main_verb=${1-}
	[ "$#" -eq 0 ] || shift
	case $main_verb in
	watch | sweep) ;;
	*) printf 'pfremote=%s\n' "$PROTOCOL" ;;
	esac
	case $main_verb in
	probe | arm | extend | status | revert | collect | tail | forget | restore | history | watch | sweep) ;;
	*)
		refuse bad-verb "unknown verb"
		finish
		;;
	esac
	main_guard_verbs
	MY_UID=$(id -u)
	if [ "$MY_UID" -ne 0 ]; then
		die not-root "the agent does not run as root" "Use --become (sudo), or log in as root."
	fi
	[ -z "$LIMITS" ] || refuse resource-limits "resource limits are too low and cannot be raised here (ulimit$LIMITS)" \
		"Raise them for the account with: ulimit -t unlimited -f unlimited -v unlimited -n 1024"
	args_read "$@"
	policy_read
	finish_refused
	instance_select "$A_instance"
	config_paths
	"verb_$main_verb"
	finish
}
