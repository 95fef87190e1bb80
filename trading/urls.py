"""Addresses of the order pages."""

from django.urls import path

from trading import views

urlpatterns = [
    path("", views.orders, name="orders"),
    path("new/", views.new, name="new-order"),
    path("<int:pk>/", views.order, name="order"),
    path("<int:pk>/confirm/", views.confirm, name="confirm-order"),
    path("<int:pk>/give-up/", views.give_up, name="give-up-order"),
    path("<int:pk>/cancel/", views.cancel, name="cancel-order"),
    path("<int:pk>/look/", views.look, name="look-at-order"),
    path("<int:pk>/settle/", views.settle, name="settle-order"),
    path("<int:pk>/word/", views.take_word, name="word-about-order"),
]
