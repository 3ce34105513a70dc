"""The login to the admin: limits on wrong passwords, the second factor, and the password asked for again."""

import secrets
import time
from base64 import b32encode
from binascii import unhexlify
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from registrations.security import audit, rate_limits, second_factor
from registrations.security.second_factor import PASSWORD_AT, PASSWORD_FRESH
from registrations.web.errors import too_many_requests
from registrations.web.responses import View, private_page
from registrations.web.unverified import is_unverified

KEY_SALT = "registrations.views.staff.key"
KEY_KEPT = timedelta(hours=1)
KNOWN_BROWSER_KEPT = timedelta(days=180)
CURRENT = {"autocomplete": "current-password", "autofocus": True}
ONE_TIME = {"autocomplete": "one-time-code", "inputmode": "text", "autocapitalize": "none", "autofocus": True}


class CodeForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Code"), max_length=20, widget=forms.TextInput(ONE_TIME))

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class PasswordForm(forms.Form):
    password = forms.CharField(label=gettext_lazy("Password"), strip=False, widget=forms.PasswordInput(CURRENT))


# The password


def counted_login(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Django's login, refused after too many wrong passwords. A right password is not counted.

    A browser that has logged in before has its own count, so that attempts from elsewhere cannot lock its user out.
    """
    if request.method != "POST" or is_unverified():
        return answer()
    username = rate_limits.compared(request.POST.get("username", ""))
    counts = _counts(request, username)
    if wait := rate_limits.take(*counts):
        return too_many_requests(request, wait)
    response = answer()
    if response.status_code == 302:
        rate_limits.give_back(*counts)
        _remember_browser(response, username)
    return response


def _counts(request: HttpRequest, username: str) -> list[rate_limits.Count]:
    known = request.get_signed_cookie(settings.KNOWN_BROWSER_COOKIE_NAME, default="", max_age=KNOWN_BROWSER_KEPT)
    if known and known.startswith(_digest(username)):
        return [(rate_limits.LOGINS_OF_BROWSER, known)]
    return [(rate_limits.LOGINS_FROM_ORIGIN, rate_limits.origin(request)), (rate_limits.LOGINS_TO_ACCOUNT, username)]


def _remember_browser(response: HttpResponse, username: str) -> None:
    response.set_signed_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        f"{_digest(username)} {secrets.token_urlsafe(16)}",
        max_age=KNOWN_BROWSER_KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _digest(username: str) -> str:
    return salted_hmac("registrations.views.staff.browser", username, algorithm="sha256").hexdigest()


def with_fresh_password(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For pages that cannot be undone or that export data: ask for the password if it was typed over an hour ago."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if time.time() - request.session.get(PASSWORD_AT, 0) < PASSWORD_FRESH.total_seconds():
            return view(request, *args, **kwargs)
        return redirect(to("confirm_password", request.get_full_path()))

    return wrapper


@never_cache
def confirm_password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        username = request.user.get_username()
        counts = [(rate_limits.LOGINS_TO_ACCOUNT, username)]
        if wait := rate_limits.take(*counts):
            return too_many_requests(request, wait)
        if authenticate(request, username=username, password=form.cleaned_data["password"]) == request.user:
            rate_limits.give_back(*counts)
            request.session[PASSWORD_AT] = time.time()
            return redirect(next_address(request))
        form.add_error("password", _("This is not your password."))
    return _page(request, "admin/confirm_password.html", _("Your password, once more"), form=form)


# The second factor


def is_needed(request: HttpRequest) -> bool:
    """Whether an account that has given its password must still give a code."""
    return settings.STAFF_OTP == "required" and not request.user.is_verified()  # type: ignore[union-attr] # django_otp's


def after_password(view: View) -> View:
    """For staff who have given their password, with or without the second factor."""

    @wraps(view)
    @never_cache
    @private_page
    def wrapper(request: HttpRequest) -> HttpResponse:
        if not (request.user.is_active and request.user.is_staff):
            return redirect_to_login(reverse("admin:index"), reverse("admin:login"))
        if not is_needed(request):
            return redirect(next_address(request))
        with audit.acting(request.user):
            return view(request)

    return wrapper


@after_password
def code(request: HttpRequest) -> HttpResponse:
    """The page that asks for the code of the phone, or for a recovery code, at each login."""
    if not second_factor.is_set_up(request.user):
        return redirect(to("set_up", next_address(request)))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        counts = [(rate_limits.CODES_OF_ACCOUNT, str(request.user.pk))]
        if wait := rate_limits.take(*counts):
            return too_many_requests(request, wait)
        if device := second_factor.matching_device(request.user, form.cleaned_data["code"]):
            rate_limits.give_back(*counts)
            _let_in(request, device)
            return redirect(next_address(request))
        form.add_error("code", _("This code is not right, or has been used. Type the one that is shown now."))
    return _page(request, "admin/code.html", _("Your code"), form=form)


@after_password
def set_up(request: HttpRequest) -> HttpResponse:
    """First login: the phone scans a key, and a code proves that it has it. Until then nothing is stored."""
    if second_factor.is_set_up(request.user):
        return redirect(to("code", next_address(request)))
    key = _key_shown(request) or second_factor.new_key()
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            recovery_codes = second_factor.set_up(request.user, key=key, code=form.cleaned_data["code"])
        except second_factor.AlreadySetUp:
            return redirect(to("code", next_address(request)))
        except second_factor.WrongCode:
            form.add_error("code", _("This is not what your phone shows now. Type its present code."))
        else:
            _let_in(request, second_factor.stored_phone(request.user))
            return _page(request, "admin/recovery_codes.html", _("Your recovery codes"), codes=recovery_codes)
    phone = second_factor.phone(request.user, key)
    return _page(
        request,
        "admin/set_up.html",
        _("Protect your account with your phone"),
        form=form,
        key=b32encode(unhexlify(key)).decode(),
        signed_key=signing.dumps([request.user.pk, key], salt=KEY_SALT),
        qr_code=_qr_code(phone.config_url),
    )


def _key_shown(request: HttpRequest) -> str:
    """The key of the submitted page, so that a wrong code does not change the QR code. Empty when it is too old."""
    try:
        account, key = signing.loads(request.POST.get("key", ""), salt=KEY_SALT, max_age=KEY_KEPT)
    except signing.BadSignature:
        return ""
    return str(key) if account == request.user.pk else ""


def _qr_code(text: str) -> SafeString:
    code = segno.make(text, micro=False)
    drawing = code.svg_inline(omitsize=True, light="#fff", svgclass="qr-code", title=_("QR code"))
    return mark_safe(drawing)  # noqa: S308 - an SVG drawing made by segno


def _let_in(request: HttpRequest, device: Any) -> None:
    django_otp.login(request, device)
    request.session.cycle_key()


def to(name: str, next_address: str) -> str:
    return f"{reverse(f'admin:{name}')}?{urlencode({'next': next_address})}"


def next_address(request: HttpRequest) -> str:
    """The page that was asked for before the login; only a page of the admin is accepted."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    inside = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(reverse("admin:index"))
    return wanted if inside else reverse("admin:index")


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    shared = admin.site.each_context(request)
    return render(request, template, {**shared, "title": title, "next": next_address(request), **context})
