# shellcheck shell=sh
# What the asker of an installed agent may know of, and what only root can change. The agent answers about no path that
# every user could not see: whether a file exists behind a closed folder is nothing that it tells.

# path_is_roots PATH: only root can change what is behind PATH: it and every folder above are root's, and no other user
# can write there (a sticky folder such as /tmp protects what root has in it).
path_is_roots() {
	path_now=$(readlink -f -- "$1") || return 1
	set -- "$path_now"
	while [ "$path_now" != / ]; do
		path_now=${path_now%/*}
		path_now=${path_now:-/}
		set -- "$@" "$path_now"
	done
	# shellcheck disable=SC2012 # ls -n is the portable way to mode and owner
	ls -ldn -- "$@" 2>/dev/null | awk -v paths="$#" '
		$3 != 0 || $1 !~ /^.....-..-/ && $1 !~ /^d........[tT]/ { bad = 1 }
		END { exit bad || NR != paths }'
}

# path_look PATH: as an ordinary user sees it, and what such a user could do to it, into LOOK:
#
#   public      a plain file that every user may read, and only root can change
#   folder      the same of a folder that every user may enter
#   missing     there is none, which every user can see
#   changeable  others than root could change it, or what is on the way
#   link        it is a link, or stands behind one, or is not written as a real path
#   private     not every user may read it, or look whether it is there: then that is not looked at either
#   other       a device, a pipe or the like, or the kernel's: below /dev, /proc, /sys
#
# "Every user" is taken strictly: neither owner nor group nor others are shut out, and no access list says otherwise.
path_look() {
	case $1/ in
	*//* | */./* | */../* | [!/]*)
		LOOK='link'
		return
		;;
	/dev/* | /proc/* | /sys/*)
		LOOK=other
		return
		;;
	esac
	path_look_rest=${1#/}
	path_look_now=
	set -- /
	while [ -n "$path_look_rest" ]; do
		path_look_now=$path_look_now/${path_look_rest%%/*}
		set -- "$@" "$path_look_now"
		case $path_look_rest in
		*/*) path_look_rest=${path_look_rest#*/} ;;
		*) path_look_rest= ;;
		esac
	done
	# shellcheck disable=SC2012 # ls -n is the portable way to mode and owner; -d gives each in the order of its name
	LOOK=$(ls -ldn -- "$@" 2>/dev/null | awk -v last="$#" '
		function ends(what) { print what; found = 1; exit }
		/^l/ { ends("link") }
		$3 != 0 || $1 !~ /^.....-..-/ && $1 !~ /^d........[tT]/ { ends("changeable") }
		substr($1, 11, 1) == "+" { ends("private") }
		/^d/ && $1 !~ /^d..x..[xst]..[xt]/ { ends("private") }
		NR < last { if (!/^d/) ends("missing"); next }
		/^d/ { ends("folder") }
		!/^-/ { ends("other") }
		{ ends($1 ~ /^-r..r..r/ ? "public" : "private") }
		END { if (!found) print "missing" }')
}
