"""The tables of orders that ``make bench`` uses, with their comments and files."""

TABLES = """
create table orders (
    id integer primary key, title varchar(255) not null, total numeric(12, 2),
    status varchar(40) not null default 'appointmentscheduled',
    customer_id integer references customers (id), hub_id varchar(40), hub_url varchar(500),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create index orders_updated_at on orders (updated_at);
create index orders_title on orders (title);
create table order_comments (
    id integer primary key, order_id integer not null references orders (id), body text not null,
    author varchar(200),
    created_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create index order_comments_order on order_comments (order_id);
create table order_files (
    id integer primary key, order_id integer not null references orders (id),
    name varchar(200) not null, content blob not null,
    created_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create index order_files_order on order_files (order_id);
"""
