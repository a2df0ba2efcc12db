"""What Postfix means by a peer and a level. Pure: no host is contacted here."""
