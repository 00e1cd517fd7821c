"""Files in the shapes of copies in a warehouse: versions, tables of links, answers by question."""

from __future__ import annotations

from sources.presets.vendor_cases import OWN, Case

COPIES = [
    Case(
        "intercom",
        {
            "subscriptions.csv": "account_id,started_at,mrr\nk1,2023-01-05,100\nk2,2023-02-05,50\n",
            "company_history.csv": (
                "id,updated_at,created_at,company_id,monthly_spend,session_count,size,name\n"
                "k1,2023-01-02 00:00:00,2023-01-01 00:00:00,x1,0,1,10,Old\n"
                "k1,2023-03-02 00:00:00,2023-01-01 00:00:00,x1,0,9,40,Acme\n"
                "k2,2023-01-02 00:00:00,2023-01-01 00:00:00,x2,0,2,20,Bee\n"
            ),
            "conversation_history.csv": (
                "id,updated_at,created_at,priority,state,waiting_since,source_type,"
                "source_author_id,conversation_rating_value,conversation_rating_created_at\n"
                "c1,2023-03-01 10:00:00,2023-03-01 09:00:00,not_priority,open,,email,9,,\n"
                "c1,2023-03-02 10:00:00,2023-03-01 09:00:00,priority,closed,,email,9,5,"
                "2023-03-02 09:00:00\n"
            ),
            "conversation_contact_history.csv": (
                "contact_id,conversation_id,conversation_updated_at\n8,c1,2023-03-01 10:00:00\n"
            ),
            "contact_company_history.csv": (
                "company_id,contact_id,contact_updated_at\nk2,8,2023-01-01 00:00:00\n"
            ),
        },
        {
            "accounts": (
                "account_id, name, employees",
                [("k1", "Acme", "40"), ("k2", "Bee", "20")],
            ),
            "tickets": (
                "ticket_id, account_id, priority, csat_score",
                [("c1", "k2", "urgent", "5.0")],
            ),
        },
        {"company", "conversation", "conversation_contact", "contact_company"},
        "history",
    ),
    Case(
        "recurly",
        {
            "account_history.csv": (
                "id,code,company,created_at,updated_at\n"
                "k1,acme,Old,2023-01-01 00:00:00,2023-01-01 00:00:00\n"
                "k1,acme,Acme,2023-01-01 00:00:00,2023-05-01 00:00:00\n"
            ),
            "subscription_history.csv": (
                "id,account_id,plan_id,updated_at,activated_at,canceled_at,expires_at,quantity,"
                "unit_amount,subtotal,currency,state\n"
                "s1,k1,p1,2023-01-01 00:00:00,2023-01-01 00:00:00,,,1,30,30,usd,active\n"
                "s1,k1,p1,2023-05-01 00:00:00,2023-01-01 00:00:00,,,2,30,60,usd,active\n"
            ),
            "plan_history.csv": (
                "id,code,name,interval_unit,interval_length,updated_at\n"
                "p1,gold,Silver,months,1,2022-01-01 00:00:00\n"
                "p1,gold,Gold,months,3,2022-02-01 00:00:00\n"
            ),
        },
        {
            "accounts": ("account_id, name", [("k1", "Acme")]),
            "subscriptions": (
                "subscription_id, account_id, plan, mrr, seats",
                [("s1", "k1", "Gold", "20.0", "2")],
            ),
        },
        {"account", "subscription", "plan"},
        "history",
    ),
    Case(
        "qualtrics",
        OWN
        | {
            "survey_response.csv": (
                "id,recorded_date,recipient_email,distribution_channel,user_language,survey_id,"
                "account_id\n"
                "R_1,2023-03-01 10:00:00,b@x.example,email,EN,SV_1,a1\n"
                "R_2,2023-03-02 10:00:00,c@x.example,email,EN,SV_1,a2\n"
            ),
            "question.csv": (
                "id,survey_id,question_text,question_type,selector\n"
                "QID1,SV_1,Would you recommend us?,MC,NPS\nQID2,SV_1,Why?,TE,ML\n"
            ),
            "question_response.csv": (
                "response_id,question_id,value,text\n"
                "R_1,QID1,9,\nR_1,QID2,,fast\nR_2,QID1,3,\nR_2,QID2,,slow\n"
            ),
        },
        {
            "survey_responses": (
                "response_id, account_id, survey_type, score",
                [("R_1", "a1", "nps", "9.0"), ("R_2", "a2", "nps", "3.0")],
            )
        },
        {"response", "question", "answer"},
        "answers by question",
    ),
    Case(
        "freshdesk",
        OWN
        | {
            "tickets.csv": (
                "id,created_at,priority,status,company_id,requester_id,type,fr_escalated\n"
                "1,2023-03-01T10:00:00Z,4,5,a1,71,Incident,false\n"
                "2,2023-03-03T10:00:00Z,1,2,,72,,false\n"
            ),
            "contacts.csv": (
                "id,email,company_id,view_all_tickets,name\n71,b@x.example,a1,false,B\n"
                "72,c@y.example,a2,false,C\n"
            ),
            "satisfaction_ratings.csv": (
                "id,ticket_id,created_at,ratings_default_question\n5,1,2023-03-04T10:00:00Z,-103\n"
            ),
        },
        {
            "tickets": (
                "ticket_id, account_id, priority, csat_score",
                [("1", "a1", "urgent", "-103.0"), ("2", "a2", "low", None)],
            )
        },
        {"ticket", "contact", "rating"},
        "ratings",
    ),
    Case(
        "jira",
        OWN
        | {
            "issue.csv": (
                "id,key,created,resolved,issue_type,status_category_changed,priority,organization\n"
                "1,SUP-1,2023-03-01 10:00:00,2023-03-02 10:00:00,3,,1,a1\n"
                "2,SUP-2,2023-03-03 10:00:00,,3,,4,a2\n"
            ),
            "priority.csv": "id,name,description\n1,Highest,now\n4,Low,later\n",
        },
        {
            "tickets": (
                "ticket_id, account_id, priority",
                [("SUP-1", "a1", "urgent"), ("SUP-2", "a2", "low")],
            )
        },
        {"issue", "level"},
        "priorities",
    ),
    Case(
        "surveymonkey",
        OWN
        | {
            "SurveyMonkey export.csv": (
                "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,"
                "Custom Data 1,How likely is it that you would recommend Acme to a colleague?\n"
                ",,,,,,,Response\n"
                "11,7,2023-03-01 10:00:00,2023-03-01 10:05:00,,b@x.example,a1,9\n"
                "12,7,2023-03-02 10:00:00,2023-03-02 10:05:00,,c@x.example,a2,4\n"
            ),
        },
        {
            "survey_responses": (
                "response_id, account_id, score",
                [("11", "a1", "9.0"), ("12", "a2", "4.0")],
            )
        },
        {"response"},
        "a question with the name of the company",
    ),
]
