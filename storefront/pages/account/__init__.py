"""The account door."""

from fastapi import APIRouter

routers: list[APIRouter] = []
