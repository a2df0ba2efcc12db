# shellcheck shell=sh

main() {
	base_init
	IN_GUARD=no
	# who sudo says it is; the client's word (owner) may be another
	LOGIN=${SUDO_USER:-root}
	case $LOGIN in
	*[!A-Za-z0-9._@-]*) LOGIN=$(printf '%s' "$LOGIN" | tr -cd 'A-Za-z0-9._@-') ;;
	esac
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
	MY_UID=$(id -u)
	if [ "$MY_UID" -ne 0 ]; then
		die not-root "the agent does not run as root" "use --become (sudo), or ssh as root"
	fi
	args_read "$@"
	policy_read
	! refused || finish
	instance_select "$A_instance"
	config_paths
	"verb_$main_verb"
	finish
}
