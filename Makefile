# AEGIS. `make dashboard` does the main job, `make test` runs every test; both install whatever is missing.
PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
ALL_CORES := -n auto --dist worksteal
# A test that hangs is interrupted, and fails; one that cannot even be interrupted ends its process, which says where it stood.
NO_HANGING := --timeout=300 -o faulthandler_timeout=360 -o faulthandler_exit_on_timeout=true
# Tests start hundreds of processes; none of them should have to compile everything again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help dashboard test run lint bench bench-rows bench-backup states kills life days order-kills order-races storm storm-bugs machines fuzz conformance setup setup-dev lock clean

help:
	@echo 'make dashboard   데모 또는 설정한 계좌를 동기화하고 PDF를 만듭니다'
	@echo 'make run         사이트를 http://127.0.0.1:8000 에서 엽니다'
	@echo 'make test        모든 테스트 (SQLite, PostgreSQL)'
	@echo 'make lint        서식, 규칙, 형식 검사'
	@echo 'make bench       속도 측정'
	@echo 'make bench-rows  목록, API, 대시보드를 만 행과 천만 행에서 비교 (ROWS=10000000, SQLite, PostgreSQL)'
	@echo 'make bench-backup 백업, 확인, 복원의 시간과 메모리 (보유 종목과 분봉 ROWS=2000000행씩, SQLite, PostgreSQL)'
	@echo 'make states      대시보드의 모든 상태를 var/states에 그림으로'
	@echo 'make kills       동기화를 모든 SQL 문에서 강제로 끝내 보기 (SQLite, PostgreSQL)'
	@echo 'make life        만들어 낸 석 달의 계좌를 시뮬레이터의 장부와 날마다 비교 (SQLite, PostgreSQL)'
	@echo 'make days        거래일 60일을 빠르게 지내 보고 모든 작업 시각을 확인 (DAYS=60, EVERY=1, docs/sixty-days.md)'
	@echo 'make order-kills 주문을 보내는 프로세스를 단계마다 20번씩 강제로 끝내 보기 (SQLite, PostgreSQL)'
	@echo 'make order-races 여덟 프로세스가 같은 주문을 1,000번 동시에 확인해 보기 (SQLite, PostgreSQL)'
	@echo 'make storm       주문 코드를 무작위 장애로 시험 (SEEDS=10000, docs/order-storm.md)'
	@echo 'make machines    여러 컴퓨터의 작업자를 하나씩 강제로 끄고 데이터베이스를 끊어 보기 (PostgreSQL)'
	@echo 'make fuzz        모든 입력에 나쁜 값 5만 건, API에 만들어 낸 요청 (INPUTS=50000 EXAMPLES=100, SQLite, PostgreSQL)'
	@echo 'make conformance 다른 사람의 KIS 클라이언트를 시뮬레이터에서 실행 (인터넷 필요)'
	@echo 'make clean       .venv와 생성물을 지웁니다 (var의 자료와 .env는 남습니다)'

setup:
	@sh deploy/setup.sh runtime

setup-dev:
	@sh deploy/setup.sh dev

dashboard: setup
	@$(PYTHON) manage.py kis_dashboard --sync

run: setup
	@$(PYTHON) manage.py create_owner
	@$(PYTHON) manage.py site

test: setup-dev
	@$(PYTHON) -m pytest -q $(ALL_CORES) $(NO_HANGING) --cov=kis/client --cov=kis/portfolio --cov=trading --cov-branch --cov-report=term --cov-fail-under=100
	@$(PYTHON) tests/with_postgres.py -m pytest -q $(ALL_CORES) $(NO_HANGING) -m django_db

lint: setup-dev
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy .
	@$(PYTHON) manage.py makemigrations --check --dry-run
	@$(PYTHON) manage.py check

bench: setup-dev
	@$(PYTHON) -m pytest -q -s tests/bench

# Needs about 0.6 GB of disk for a million rows of each table; it is given back. ROUNDS=15 times each page.
bench-rows: setup-dev
	@ROWS=$(or $(ROWS),10000000) $(PYTHON) -m pytest -q -s tests/bench/test_many_rows.py
	@ROWS=$(or $(ROWS),10000000) $(PYTHON) tests/with_postgres.py -m pytest -q -s tests/bench/test_many_rows.py

# Needs about 3 GB of disk for two million rows of each table; it is given back.
bench-backup: setup-dev
	@ROWS=$(or $(ROWS),2000000) $(PYTHON) -m pytest -q -s tests/bench/test_backup_rows.py
	@ROWS=$(or $(ROWS),2000000) $(PYTHON) tests/with_postgres.py -m pytest -q -s tests/bench/test_backup_rows.py

# STATES='stale hostile_names' draws some of them.
states: setup-dev
	@$(PYTHON) tests/reports/pictures.py $(STATES)

kills: setup-dev
	@$(PYTHON) -m pytest -q -s tests/kills
	@$(PYTHON) tests/with_postgres.py -m pytest -q -s tests/kills

# SEEDS='2 3' lives other lives.
life: setup-dev
	@LIFE_SEEDS="$(or $(SEEDS),1)" $(PYTHON) -m pytest -q -s tests/life
	@LIFE_SEEDS="$(or $(SEEDS),1)" $(PYTHON) tests/with_postgres.py -m pytest -q -s tests/life

order-kills: setup-dev
	@$(PYTHON) tests/trading/at_length.py kills 20
	@$(PYTHON) tests/with_postgres.py tests/trading/at_length.py kills 20

# DAYS=5 plays fewer days, EVERY=5 fires the jobs of minutes only in every fifth of them; the table goes into docs/sixty-days.md.
days: setup-dev
	@$(PYTHON) tests/days/run.py --days $(or $(DAYS),60) --every $(or $(EVERY),1) --save var/days-sqlite.json
	@$(PYTHON) tests/with_postgres.py tests/days/run.py --days $(or $(DAYS),60) --every $(or $(EVERY),1) --save var/days-postgresql.json
	@$(PYTHON) tests/days/report.py var/days-sqlite.json var/days-postgresql.json

# 200 from password and code on, 800 where all eight have passed the gates and meet at the claim.
order-races: setup-dev
	@$(PYTHON) tests/trading/at_length.py races 200 800
	@$(PYTHON) tests/with_postgres.py tests/trading/at_length.py races 200 800

# Goes on where it was stopped, as long as the code is the same. `tests/storm/run.py --trace 4711` shows one seed.
storm: setup-dev
	@$(PYTHON) tests/storm/run.py --seeds $(or $(SEEDS),1000)

storm-bugs: setup-dev
	@$(PYTHON) tests/storm/run.py --bugs --seeds $(or $(SEEDS),2000)

machines: setup-dev
	@$(PYTHON) tests/with_postgres.py -m pytest -q -s tests/machines
	@JOB_KILLS=40 $(PYTHON) -m pytest -q -s tests/aegis/test_job_kills.py
	@JOB_KILLS=40 $(PYTHON) tests/with_postgres.py -m pytest -q -s tests/aegis/test_job_kills.py

# INPUTS bad inputs at every door (SEED=2 makes others), and schemathesis with EXAMPLES for each operation and phase.
fuzz: setup-dev
	@FUZZ_SEED=$(or $(SEED),1) FUZZ_INPUTS=$(or $(INPUTS),50000) FUZZ_EXAMPLES=$(or $(EXAMPLES),100) $(PYTHON) -m pytest -q -s tests/fuzz
	@FUZZ_SEED=$(or $(SEED),1) FUZZ_INPUTS=$(or $(INPUTS),50000) FUZZ_EXAMPLES=$(or $(EXAMPLES),100) \
		$(PYTHON) tests/with_postgres.py -m pytest -q -s tests/fuzz

# CLIENTS='mojito2 python-kis' runs some of them; KIS_OFFICIAL_SAMPLES names a checkout of the official samples.
conformance: setup-dev
	@$(PYTHON) tests/conformance/run.py $(CLIENTS)

# --universal keeps the markers for every Python and platform; no index address is written.
lock: setup-dev
	@$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	@$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --extra dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache var/fonts
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
