"""The unit door."""

from fastapi import APIRouter

routers: list[APIRouter] = []
