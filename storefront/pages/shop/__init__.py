"""The shop door."""

from fastapi import APIRouter

routers: list[APIRouter] = []
