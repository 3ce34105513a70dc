"""What « Duplicate » does with each field of an event, declared once: a new field has to be put into this table."""

from enum import Enum, auto


class OnDuplicate(Enum):
    TAKEN_OVER = auto()
    PERSONAL = auto()  # taken over; it names a person, who may be another one for the next session
    MOVED = auto()  # a date, by the years between the two sessions
    MADE_ANEW = auto()  # by domain/duplication.py
    LEFT_BEHIND = auto()  # the draft has the field's default, or no such row


TAKEN_OVER, PERSONAL, MOVED, MADE_ANEW, LEFT_BEHIND = OnDuplicate

FIELDS = {
    "Event": {
        "id": MADE_ANEW,
        "slug": MADE_ANEW,  # with the new year
        "title": TAKEN_OVER,
        "title_en": TAKEN_OVER,
        "short_title": TAKEN_OVER,
        "short_title_en": TAKEN_OVER,
        "summary": TAKEN_OVER,
        "summary_en": TAKEN_OVER,
        "description": TAKEN_OVER,
        "description_en": TAKEN_OVER,
        "starts_at": MOVED,
        "ends_at": MOVED,
        "timezone": TAKEN_OVER,
        "connection_url": TAKEN_OVER,
        "connection_notes": TAKEN_OVER,
        "connection_notes_en": TAKEN_OVER,
        "status": LEFT_BEHIND,
        "organiser_words": LEFT_BEHIND,  # on a change of the last session
        "organiser_words_en": LEFT_BEHIND,
        "registration_opens_at": MOVED,
        "registration_closes_at": MOVED,
        "open_after_session": TAKEN_OVER,
        "capacity": TAKEN_OVER,
        "waiting_list": TAKEN_OVER,
        "room_opens_minutes_before": TAKEN_OVER,
        "room_stays_open_minutes_after": TAKEN_OVER,
        "contact_name": PERSONAL,
        "contact_email": PERSONAL,
        "organiser_name": TAKEN_OVER,
        "territories": TAKEN_OVER,
        "origins": TAKEN_OVER,
        "origins_en": TAKEN_OVER,
        "newsletter_label": TAKEN_OVER,
        "newsletter_label_en": TAKEN_OVER,
        "replay_url": LEFT_BEHIND,  # the recording of the last session
        "reminder_days_before": TAKEN_OVER,
        "reminder_day_time": TAKEN_OVER,
        "reminder_minutes_before": TAKEN_OVER,
        "follow_up_hours_after": TAKEN_OVER,
        "follow_up_present": TAKEN_OVER,
        "follow_up_present_en": TAKEN_OVER,
        "follow_up_absent": TAKEN_OVER,
        "follow_up_absent_en": TAKEN_OVER,
        "retention_months": TAKEN_OVER,
        "report_title": TAKEN_OVER,
        "report_subtitle": TAKEN_OVER,
        "report_authors": PERSONAL,
        "report_file": MADE_ANEW,  # a copy of the file
        "sequence": LEFT_BEHIND,
        "former_starts_at": LEFT_BEHIND,
        "former_ends_at": LEFT_BEHIND,
    },
    "ReportSection": {
        "id": MADE_ANEW,
        "event": MADE_ANEW,
        "position": TAKEN_OVER,
        "heading": TAKEN_OVER,
        "body": TAKEN_OVER,
    },
    "MailText": {
        "id": MADE_ANEW,
        "event": MADE_ANEW,
        "kind": TAKEN_OVER,
        "language": TAKEN_OVER,
        "subject": TAKEN_OVER,
        "opening": TAKEN_OVER,
        "closing": TAKEN_OVER,
    },
    "EventQuestion": {
        "id": MADE_ANEW,
        "event": MADE_ANEW,
        "position": TAKEN_OVER,
        "label": TAKEN_OVER,
        "label_en": TAKEN_OVER,
        "kind": TAKEN_OVER,
        "choices": TAKEN_OVER,
        "choices_en": TAKEN_OVER,
        "help_text": TAKEN_OVER,
        "help_text_en": TAKEN_OVER,
        "required": TAKEN_OVER,
        "is_asked": TAKEN_OVER,
    },
    "EventPage": {
        "id": MADE_ANEW,
        "event": MADE_ANEW,
        "audience": TAKEN_OVER,
        "audience_en": TAKEN_OVER,
        "language": TAKEN_OVER,
        "subtitles": TAKEN_OVER,
        "sign_language": TAKEN_OVER,
        "telephone": TAKEN_OVER,
        "accessibility": TAKEN_OVER,
        "accessibility_en": TAKEN_OVER,
        "picture": TAKEN_OVER,
        "picture_description": TAKEN_OVER,
        "picture_description_en": TAKEN_OVER,
        "revision": MADE_ANEW,
    },
    "Appearance": {"id": MADE_ANEW, "event": MADE_ANEW, "speaker": PERSONAL, "position": TAKEN_OVER},
    "ProgrammeItem": {
        "id": MADE_ANEW,
        "event": MADE_ANEW,
        "starts_at": TAKEN_OVER,  # an hour, in the event's zone
        "title": TAKEN_OVER,
        "title_en": TAKEN_OVER,
        "speakers": PERSONAL,
    },
    "EventDocument": {
        "id": MADE_ANEW,
        "event": MADE_ANEW,
        "position": TAKEN_OVER,
        "name": TAKEN_OVER,
        "name_en": TAKEN_OVER,
        "file": MADE_ANEW,  # a copy of the file
        "link": TAKEN_OVER,
        "audience": TAKEN_OVER,
        "attached": TAKEN_OVER,
        "digest": MADE_ANEW,
        "size": MADE_ANEW,
    },
    "Partner": {
        "id": MADE_ANEW,
        "event": MADE_ANEW,
        "position": TAKEN_OVER,
        "name": TAKEN_OVER,
        "link": TAKEN_OVER,
        "logo": TAKEN_OVER,
    },
}

RELATED_ROWS = {  # by the name under which the event has them
    "report_sections": TAKEN_OVER,
    "own_questions": TAKEN_OVER,  # those still asked
    "page": TAKEN_OVER,
    "appearances": TAKEN_OVER,
    "programme": TAKEN_OVER,
    "partners": TAKEN_OVER,
    "documents": TAKEN_OVER,  # not those of after the session: slides of the last one
    "mail_texts": TAKEN_OVER,
    "registrations": LEFT_BEHIND,
    "anonymous_registrations": LEFT_BEHIND,
    "broadcasts": LEFT_BEHIND,
    "jobs": LEFT_BEHIND,
    "purged_counts": LEFT_BEHIND,
    "typeset_report": LEFT_BEHIND,
    "share_image": LEFT_BEHIND,
    "checks": LEFT_BEHIND,  # what was looked at is the last event
    "members": LEFT_BEHIND,
}


def names(model: str, *wanted: OnDuplicate) -> list[str]:
    return [name for name, on_duplicate in FIELDS[model].items() if on_duplicate in wanted]
