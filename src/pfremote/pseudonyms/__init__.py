"""Tokens in place of the names of users, hosts and addresses (``--pseudonymise``)."""
