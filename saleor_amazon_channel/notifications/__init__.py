"""Amazon says what changed, so that it is here within seconds.

    subscribing   have Amazon send an account's notifications to a queue
    receiving     take them out of it, and read what they name

They only hasten: the scans find all of it too, whatever becomes of a notification.
"""
