"""The registrations: list, page of a person, actions, exports."""
