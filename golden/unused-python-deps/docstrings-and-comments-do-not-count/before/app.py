"""Not with stripe any more."""
# import twilio


def pay():
    """Once: import stripe."""
