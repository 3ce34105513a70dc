"""What the organiser sees.

May import: admin_site, views, web, worker, monitoring, backup, domain, mailing, documents, statistics, security,
spreadsheets, text, models, runtime.
"""

from django.contrib import admin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_tasks_db.models import DBTaskResult

from registrations.admin import accounts, audit_log, colleagues
from registrations.admin.events import change_jobs, events
from registrations.admin.mails import deliveries, suppressions
from registrations.admin.messages import jobs as message_jobs
from registrations.admin.people import registrations, speakers
from registrations.admin.shared import jobs, site_identity

# Wake-ups mean nothing to an organiser. Nobody may see the keys of second factors: see `manage.py otp_reset`.
for model in (DBTaskResult, TOTPDevice, StaticDevice):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

__all__ = [
    "accounts",
    "audit_log",
    "change_jobs",
    "colleagues",
    "deliveries",
    "events",
    "jobs",
    "message_jobs",
    "registrations",
    "site_identity",
    "speakers",
    "suppressions",
]
