"""What vulture must not call dead: names that only a library, a template or the documents know. One reason each."""

# click calls these of its own accord (click.Group).
_.list_commands
_.get_command
_.format_help

# socketserver reads these settings of a server class.
_.daemon_threads
_.block_on_close

# jinja2 reads the first two of an environment and calls the others of a code generator (jinja2.sandbox, jinja2.compiler).
_.intercepted_binops
_.concat
_.visit_Concat
_.visit_Operand
_.visit_Macro
# The name of a parameter that no keyword argument may have.
__self

# rich reads these of a text that it draws.
_.no_wrap
_.overflow

# pydantic finds a model's settings and validators by itself.
_.model_config
_._have_one

# The report's templates use these.
_.describe_left_out
_.name_session
_.too_many
CERTAINTY

# Paramiko calls these of an authentication strategy and of a host key policy.
_.get_sources
_.authenticate
_.missing_host_key

# Paramiko calls it to wait for the answer to a request (paramiko.channel).
_._wait_for_event
