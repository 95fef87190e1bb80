"""The form of a broker account: secrets go in, but never come out again."""

import re
import unicodedata
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from kis.account_keys import Secrets, stored_as
from kis.accounts import ENVIRONMENT_LABELS, MODE_NAMES, environment_accounts, same_label
from kis.client.codes import APP_KEY_LENGTH, APP_SECRET_LENGTH, AccountNumber, Environment, Mode
from kis.client.errors import KisMisconfigured
from kis.encryption import SecretUnreadable
from kis.models import BrokerAccount
from kis.portfolio.costs import RatesNotUnderstood, parse_rates

if TYPE_CHECKING:
    AccountModelForm = forms.ModelForm[BrokerAccount]
else:
    AccountModelForm = forms.ModelForm  # generic for the type checker only

LABEL = re.compile(r"\w[\w ().+-]*")
#: A label is printed and logged, so it must not be the number it stands for.
LIKE_A_NUMBER = re.compile(r"\d{6}|\d{4}\*")
UNCHANGED = "비워 두면 그대로 둡니다."
UNREADABLE = "저장된 값을 풀 수 없습니다. 다시 넣어 주세요."
LAST_SHOWN = 4


class WriteOnlyInput(forms.PasswordInput):
    """An input that is never filled in, not even with what was just typed."""

    def __init__(self, *, hidden: bool) -> None:
        super().__init__(attrs={"autocomplete": "new-password" if hidden else "off", "class": "vTextField"})
        self.input_type = "password" if hidden else "text"


class BrokerAccountForm(AccountModelForm):
    """Label, keys and addresses. Blank secrets leave what is stored; a new account needs them."""

    app_key = forms.CharField(
        label="앱키", required=False, widget=WriteOnlyInput(hidden=True), help_text=f"{APP_KEY_LENGTH}자"
    )
    app_secret = forms.CharField(
        label="앱시크릿",
        required=False,
        widget=WriteOnlyInput(hidden=True),
        help_text=f"{APP_SECRET_LENGTH}자",
    )
    account_no = forms.CharField(
        label="계좌번호",
        required=False,
        widget=WriteOnlyInput(hidden=False),
        help_text="12345678-01 모양",
    )
    hts_id = forms.CharField(
        label="HTS ID",
        required=False,
        max_length=40,
        widget=WriteOnlyInput(hidden=False),
        help_text="체결통보(실시간)를 받을 때만 필요합니다.",
    )
    forget_hts_id = forms.BooleanField(label="HTS ID 지우기", required=False)

    class Meta:
        model = BrokerAccount
        fields = ["label", "mode", "enabled", "base_url", "ws_url", "tr_set", "commission"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as Django's own
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            for name in ("app_key", "app_secret", "account_no"):
                self.fields[name].required = True
            del self.fields["forget_hts_id"]
            return
        for name, stored in self.stored().items():
            self.fields[name].help_text = stored

    def stored(self) -> dict[str, str]:
        """Say of each secret that something is stored, and just enough of it to tell it from another."""
        row = self.instance
        try:
            return {
                "app_key": f"저장됨(끝자리 {row.app_key[-LAST_SHOWN:]}). {UNCHANGED}",
                "app_secret": f"저장됨. {UNCHANGED}" if row.app_secret else "",
                "account_no": f"저장됨({row.masked_no}). {UNCHANGED}",
                "hts_id": f"저장됨. {UNCHANGED}" if row.hts_id else "없음. 체결통보를 받을 때만 필요합니다.",
            }
        except SecretUnreadable:
            return dict.fromkeys(("app_key", "app_secret", "account_no", "hts_id"), UNREADABLE)

    @property
    def mode(self) -> Mode | None:
        """The mode of the account; that of a stored one stays."""
        return cast("Mode | None", self.cleaned_data.get("mode") or self.instance.mode or None)

    def secrets(self) -> Secrets:
        """Return what the owner typed. Only for a form that is valid."""
        typed = self.cleaned_data
        return Secrets(
            app_key=typed["app_key"] or None,
            app_secret=typed["app_secret"] or None,
            account=typed["account_no"] or None,
            hts_id="" if typed.get("forget_hts_id") else typed["hts_id"] or None,
        )

    def clean_label(self) -> str:
        label = " ".join(unicodedata.normalize("NFC", self.cleaned_data["label"]).split())
        if not LABEL.fullmatch(label):
            raise ValidationError(
                "글자와 숫자, 빈칸, . ( ) + - _만 쓸 수 있고, 글자나 숫자로 시작해야 합니다."
            )
        if LIKE_A_NUMBER.search(label):
            raise ValidationError("별칭은 화면과 기록에 그대로 나오므로 계좌번호처럼 적을 수 없습니다.")
        if any(same_label(label, taken) for taken in ENVIRONMENT_LABELS.values()):
            raise ValidationError(
                f"'{label}'은(는) 환경변수의 계좌가 쓰는 이름입니다. 다른 별칭을 적어 주세요."
            )
        return label

    def clean_commission(self) -> str:
        text: str = self.cleaned_data["commission"]
        if text:
            try:
                parse_rates(text)
            except RatesNotUnderstood as error:
                raise ValidationError(str(error)) from None
        return text

    def clean_app_key(self) -> str:
        return self.of_length("app_key", APP_KEY_LENGTH)

    def clean_app_secret(self) -> str:
        return self.of_length("app_secret", APP_SECRET_LENGTH)

    def of_length(self, name: str, length: int) -> str:
        text: str = self.cleaned_data[name]
        if text and (len(text) != length or not text.isascii() or not text.isprintable() or " " in text):
            raise ValidationError(
                f"빈칸 없이 {length}자여야 합니다(지금 {len(text)}자). KIS Developers에서 다시 복사해 주세요."
            )
        return text

    def clean_account_no(self) -> AccountNumber | None:
        text: str = self.cleaned_data["account_no"]
        if not text:
            return None
        try:
            number = AccountNumber.parse(text)
        except KisMisconfigured as error:
            raise ValidationError(str(error)) from None
        if self.mode:
            self.refuse_known(number, self.mode)
        return number

    def refuse_known(self, number: AccountNumber, mode: Mode) -> None:
        """Refuse an account that is configured elsewhere: two sets of keys for one account would only confuse."""
        other = stored_as(number, mode)
        if other is not None and other.pk != self.instance.pk:
            raise ValidationError(f"이 계좌는 '{other.label}'(으)로 이미 등록되어 있습니다.")
        if any((own.number, own.mode) == (number, mode) for own in environment_accounts()):
            raise ValidationError("이 계좌는 환경변수에 이미 있습니다. 둘 중 한 곳에만 두어 주세요.")

    def clean(self) -> dict[str, Any]:
        """Refuse addresses that the client would refuse."""
        super().clean()
        if self.mode is not None:
            hosts = settings.KIS_ACCOUNTS[self.mode]
            for name in ("base_url", "ws_url"):
                given = self.cleaned_data.get(name)
                if given and not may_be_called(self.mode, **{**hosts_of(hosts), name: given}):
                    self.add_error(
                        name,
                        f"{MODE_NAMES[self.mode]}투자에 쓸 수 없는 주소입니다. 비워 두면 증권사의 주소를 씁니다.",
                    )
        return self.cleaned_data


def hosts_of(account: dict[str, str]) -> dict[str, str]:
    return {name: account[name] for name in ("base_url", "ws_url")}


def may_be_called(mode: Mode, *, base_url: str, ws_url: str) -> bool:
    """Return whether the client would send keys of this mode to these addresses."""
    try:
        Environment(
            mode=mode,
            base_url=base_url,
            ws_url=ws_url,
            app_key="k" * APP_KEY_LENGTH,
            app_secret="s" * APP_SECRET_LENGTH,
            account=AccountNumber("00000000", "01"),
        )
    except (KisMisconfigured, ValueError):  # the latter for brackets that are no address
        return False
    return True
