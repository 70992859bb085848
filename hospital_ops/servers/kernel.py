"""Three requests to the Linux kernel that Python's library has no name for.

Each runs in a child between fork and exec, so the C library is loaded here, beforehand.
On macOS the first does nothing and the namespace is not available.
"""

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
CLONE_NEWUSER: Final = 0x10000000
# Any id but 0 will do: PostgreSQL only refuses to run as the superuser.
ORDINARY_ID: Final = 1000

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int, parent_pid: int) -> None:
    """Ask for `signal_number` when the thread that forked this child ends.

    Call it after every change of user: the kernel forgets the request then. A parent that
    ended before the request is seen by its changed id, and the child ends at once.
    """
    if sys.platform != "linux":
        return
    if _libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent_pid:
        os._exit(1)


def enter_user_namespace() -> None:
    """Become an ordinary user inside a new user namespace, root outside (files stay root's).

    Raises OSError where the kernel refuses; in a preexec_fn that arrives as SubprocessError.
    """
    uid, gid = os.geteuid(), os.getegid()
    if sys.platform != "linux" or _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER) was refused")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{ORDINARY_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{ORDINARY_ID} {gid} 1")
